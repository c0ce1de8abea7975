//! What a new password must look like: Rocket.Chat's `Accounts_Password_Policy_*` settings as one pure function.

/// The policy. [`PasswordPolicy::default`] holds Rocket.Chat's defaults, with the policy off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// `..._Enabled`: when off, only blank passwords are refused.
    pub enabled: bool,
    /// `..._MinLength`, in UTF-16 units as the web client counts; below 1 is no limit.
    pub min_length: i64,
    /// `..._MaxLength`, in UTF-16 units; below 1 is no limit.
    pub max_length: i64,
    /// `..._ForbidRepeatingCharacters`.
    pub forbid_repeating: bool,
    /// `..._ForbidRepeatingCharactersCount`: how often a character may stand in a row; below 1 is no limit.
    pub repeating_count: i64,
    /// `..._AtLeastOneLowercase`: a letter a to z.
    pub lowercase: bool,
    /// `..._AtLeastOneUppercase`: a letter A to Z.
    pub uppercase: bool,
    /// `..._AtLeastOneNumber`: a digit 0 to 9.
    pub number: bool,
    /// `..._AtLeastOneSpecialCharacter`: anything but A-Z, a-z, 0-9 and blank.
    pub special: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            enabled: false,
            min_length: 7,
            max_length: -1,
            forbid_repeating: true,
            repeating_count: 3,
            lowercase: true,
            uppercase: true,
            number: true,
            special: true,
        }
    }
}

/// One way in which a password breaks the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyViolation {
    /// Empty or only white space; refused even when the policy is off.
    Blank,
    /// Shorter than `min_length`.
    TooShort,
    /// Longer than `max_length`.
    TooLong,
    /// A character stands more than `repeating_count` times in a row.
    RepeatingCharacters,
    /// No a to z.
    NoLowercase,
    /// No A to Z.
    NoUppercase,
    /// No 0 to 9.
    NoNumber,
    /// No special character.
    NoSpecialCharacter,
}

/// The error that holds all violations (Rocket.Chat's `errorType`).
pub const POLICY_NOT_MET: &str = "error-password-policy-not-met";

impl PolicyViolation {
    /// Rocket.Chat's code, which its clients translate.
    pub fn code(self) -> &'static str {
        match self {
            Self::Blank => POLICY_NOT_MET,
            Self::TooShort => "error-password-policy-not-met-minLength",
            Self::TooLong => "error-password-policy-not-met-maxLength",
            Self::RepeatingCharacters => "error-password-policy-not-met-repeatingCharacters",
            Self::NoLowercase => "error-password-policy-not-met-oneLowercase",
            Self::NoUppercase => "error-password-policy-not-met-oneUppercase",
            Self::NoNumber => "error-password-policy-not-met-oneNumber",
            Self::NoSpecialCharacter => "error-password-policy-not-met-oneSpecial",
        }
    }

    /// The sentence that goes with the code; clients compare it, so it is Rocket.Chat's wording.
    pub fn message(self) -> &'static str {
        match self {
            Self::Blank => "The password provided does not meet the server's password policy.",
            Self::TooShort => "The password does not meet the minimum length password policy.",
            Self::TooLong => "The password does not meet the maximum length password policy.",
            Self::RepeatingCharacters => {
                "The password contains repeating characters which is against the password policy."
            }
            Self::NoLowercase => {
                "The password does not contain at least one lowercase character which is against the password policy."
            }
            Self::NoUppercase => {
                "The password does not contain at least one uppercase character which is against the password policy."
            }
            Self::NoNumber => {
                "The password does not contain at least one numerical character which is against the password policy."
            }
            Self::NoSpecialCharacter => {
                "The password does not contain at least one special character which is against the password policy."
            }
        }
    }
}

/// One line of [`PasswordPolicy::describe`]: the rule's name and, for some, its parameter and value.
pub type PolicyRule = (&'static str, Option<(&'static str, i64)>);

impl PasswordPolicy {
    /// Every rule that `password` breaks, in a fixed order; empty when it may be used. A blank password gives
    /// [`PolicyViolation::Blank`] alone. A digest can't be judged: only call this with the password itself.
    pub fn violations(&self, password: &str) -> Vec<PolicyViolation> {
        use PolicyViolation as V;
        if password.trim().is_empty() {
            return vec![V::Blank];
        }
        if !self.enabled {
            return Vec::new();
        }
        let length = i64::try_from(password.encode_utf16().count()).unwrap_or(i64::MAX);
        let repeating = self.forbid_repeating
            && self.repeating_count >= 1
            && longest_run(password) > self.repeating_count;
        let lacks = |wanted: bool, found: fn(char) -> bool| wanted && !password.contains(found);
        let rules = [
            (self.min_length >= 1 && length < self.min_length, V::TooShort),
            (self.max_length >= 1 && length > self.max_length, V::TooLong),
            (repeating, V::RepeatingCharacters),
            (lacks(self.lowercase, |c| c.is_ascii_lowercase()), V::NoLowercase),
            (lacks(self.uppercase, |c| c.is_ascii_uppercase()), V::NoUppercase),
            (lacks(self.number, |c| c.is_ascii_digit()), V::NoNumber),
            (lacks(self.special, |c| !c.is_ascii_alphanumeric() && c != ' '), V::NoSpecialCharacter),
        ];
        rules.into_iter().filter_map(|(broken, violation)| broken.then_some(violation)).collect()
    }

    /// The rules as Rocket.Chat's `pw.getPolicy` lists them; empty when the policy is off.
    pub fn describe(&self) -> Vec<PolicyRule> {
        if !self.enabled {
            return Vec::new();
        }
        let plain = |name| (name, None);
        let rules = [
            (self.min_length >= 1, ("get-password-policy-minLength", Some(("minLength", self.min_length)))),
            (self.max_length >= 1, ("get-password-policy-maxLength", Some(("maxLength", self.max_length)))),
            (self.forbid_repeating, plain("get-password-policy-forbidRepeatingCharacters")),
            (
                self.forbid_repeating && self.repeating_count >= 1,
                (
                    "get-password-policy-forbidRepeatingCharactersCount",
                    Some(("forbidRepeatingCharactersCount", self.repeating_count)),
                ),
            ),
            (self.lowercase, plain("get-password-policy-mustContainAtLeastOneLowercase")),
            (self.uppercase, plain("get-password-policy-mustContainAtLeastOneUppercase")),
            (self.number, plain("get-password-policy-mustContainAtLeastOneNumber")),
            (self.special, plain("get-password-policy-mustContainAtLeastOneSpecialCharacter")),
        ];
        rules.into_iter().filter_map(|(on, rule)| on.then_some(rule)).collect()
    }
}

/// The length of the longest row of one character.
fn longest_run(text: &str) -> i64 {
    let mut longest = 0;
    let mut run = 0;
    let mut last = None;
    for c in text.chars() {
        run = if last == Some(c) { run + 1 } else { 1 };
        last = Some(c);
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::PolicyViolation as V;
    use super::*;
    use proptest::prelude::*;

    fn strict() -> PasswordPolicy {
        PasswordPolicy { enabled: true, max_length: 12, ..PasswordPolicy::default() }
    }

    #[test]
    fn a_good_password_has_no_violation() {
        for password in ["Passw0rd!", "aB3$567", "Zürich1", "aaaB1_"].map(|p| format!("{p}x")) {
            assert_eq!(strict().violations(&password), [], "{password}");
        }
    }

    #[test]
    fn every_rule_names_its_own_violation() {
        let cases: [(&str, &[V]); 9] = [
            ("aB3$56", &[V::TooShort]),
            ("aB3$567890123", &[V::TooLong]),
            ("aaaaB3$x", &[V::RepeatingCharacters]),
            ("ABC3$567", &[V::NoLowercase]),
            ("abc3$567", &[V::NoUppercase]),
            ("abcD$efg", &[V::NoNumber]),
            ("abcD3 efg", &[V::NoSpecialCharacter]),
            (
                "aaaa",
                &[V::TooShort, V::RepeatingCharacters, V::NoUppercase, V::NoNumber, V::NoSpecialCharacter],
            ),
            ("  \t ", &[V::Blank]),
        ];
        for (password, expected) in cases {
            assert_eq!(strict().violations(password), expected, "{password}");
        }
    }

    #[test]
    fn with_the_policy_off_only_blank_is_refused() {
        let off = PasswordPolicy::default();
        assert_eq!(off.violations("a"), []);
        assert_eq!(off.violations(""), [V::Blank]);
        assert_eq!(off.violations(" \u{a0}\n"), [V::Blank]);
        assert_eq!(off.describe(), []);
    }

    #[test]
    fn lengths_are_counted_as_the_web_client_counts_them() {
        let policy = PasswordPolicy { min_length: 4, max_length: 4, ..all_off() };
        assert_eq!(policy.violations("😀😀"), []);
        assert_eq!(policy.violations("😀"), [V::TooShort]);
        assert_eq!(policy.violations("😀😀a"), [V::TooLong]);
    }

    #[test]
    fn limits_below_one_are_no_limits() {
        let policy = PasswordPolicy {
            min_length: 0,
            max_length: -1,
            forbid_repeating: true,
            repeating_count: 0,
            ..all_off()
        };
        assert_eq!(policy.violations("aaaaaaaaaaaa"), []);
    }

    #[test]
    fn the_description_lists_the_rules_that_are_on() {
        let policy = PasswordPolicy { max_length: -1, uppercase: false, ..strict() };
        assert_eq!(
            policy.describe(),
            [
                ("get-password-policy-minLength", Some(("minLength", 7))),
                ("get-password-policy-forbidRepeatingCharacters", None),
                (
                    "get-password-policy-forbidRepeatingCharactersCount",
                    Some(("forbidRepeatingCharactersCount", 3))
                ),
                ("get-password-policy-mustContainAtLeastOneLowercase", None),
                ("get-password-policy-mustContainAtLeastOneNumber", None),
                ("get-password-policy-mustContainAtLeastOneSpecialCharacter", None),
            ]
        );
    }

    fn all_off() -> PasswordPolicy {
        PasswordPolicy {
            enabled: true,
            min_length: -1,
            max_length: -1,
            forbid_repeating: false,
            repeating_count: 3,
            lowercase: false,
            uppercase: false,
            number: false,
            special: false,
        }
    }

    proptest! {
        #[test]
        fn any_text_is_judged_and_each_violation_is_listed_once(
            password in ".{0,40}", min in -2_i64..20, max in -2_i64..30, count in -2_i64..5,
        ) {
            let policy = PasswordPolicy { enabled: true, min_length: min, max_length: max, repeating_count: count, ..strict() };
            let found = policy.violations(&password);
            let mut sorted = found.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(&found, &sorted);
            prop_assert_eq!(found.contains(&V::Blank), password.trim().is_empty());
        }

        #[test]
        fn a_row_one_over_the_count_is_refused_and_a_row_of_the_count_is_not(c in any::<char>(), count in 1_usize..6) {
            prop_assume!(!c.is_whitespace());
            let policy = PasswordPolicy { forbid_repeating: true, repeating_count: count as i64, ..all_off() };
            prop_assert_eq!(policy.violations(&c.to_string().repeat(count)), vec![]);
            prop_assert_eq!(policy.violations(&c.to_string().repeat(count + 1)), vec![V::RepeatingCharacters]);
        }

        #[test]
        fn adding_what_is_missing_heals_the_character_rules(password in "[ -~]{0,10}") {
            let policy = PasswordPolicy { min_length: -1, max_length: -1, forbid_repeating: false, ..strict() };
            prop_assert_eq!(policy.violations(&format!("{password}aB3$")), vec![]);
        }
    }
}
