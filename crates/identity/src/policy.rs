//! What a new password must look like: Rocket.Chat's `Accounts_Password_Policy_*` settings as one pure function.

use parlor_core::credentials::{PasswordFault, PasswordRule};
use parlor_core::setting::{Settings, Value};

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

impl PasswordPolicy {
    /// As the settings say; a setting that is missing keeps its default.
    pub fn from_settings(settings: &Settings) -> Self {
        let value = |name: &str| {
            settings.get(&format!("Accounts_Password_Policy_{name}")).map(|setting| &setting.value)
        };
        let switch = |name, default| match value(name) {
            Some(Value::Bool(on)) => *on,
            _ => default,
        };
        let number = |name, default| match value(name) {
            // Saturates, and takes what is no number for 0, which is no limit.
            Some(Value::Number(number)) => *number as i64,
            _ => default,
        };
        let default = Self::default();
        Self {
            enabled: switch("Enabled", default.enabled),
            min_length: number("MinLength", default.min_length),
            max_length: number("MaxLength", default.max_length),
            forbid_repeating: switch("ForbidRepeatingCharacters", default.forbid_repeating),
            repeating_count: number("ForbidRepeatingCharactersCount", default.repeating_count),
            lowercase: switch("AtLeastOneLowercase", default.lowercase),
            uppercase: switch("AtLeastOneUppercase", default.uppercase),
            number: switch("AtLeastOneNumber", default.number),
            special: switch("AtLeastOneSpecialCharacter", default.special),
        }
    }

    /// Every rule that `password` breaks, in a fixed order; empty when it may be used. A blank password gives
    /// [`PasswordFault::Blank`] alone. A digest can't be judged: only call this with the password itself.
    pub fn faults(&self, password: &str) -> Vec<PasswordFault> {
        use PasswordFault as V;
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
            (repeating, V::Repeating),
            (lacks(self.lowercase, |c| c.is_ascii_lowercase()), V::NoLowercase),
            (lacks(self.uppercase, |c| c.is_ascii_uppercase()), V::NoUppercase),
            (lacks(self.number, |c| c.is_ascii_digit()), V::NoNumber),
            (lacks(self.special, |c| !c.is_ascii_alphanumeric() && c != ' '), V::NoSpecial),
        ];
        rules.into_iter().filter_map(|(broken, violation)| broken.then_some(violation)).collect()
    }

    /// The rules as Rocket.Chat's `pw.getPolicy` lists them; empty when the policy is off.
    pub fn describe(&self) -> Vec<PasswordRule> {
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
    use super::PasswordFault as V;
    use super::*;
    use proptest::prelude::*;

    fn strict() -> PasswordPolicy {
        PasswordPolicy { enabled: true, max_length: 12, ..PasswordPolicy::default() }
    }

    #[test]
    fn the_settings_decide_and_missing_ones_keep_their_default() {
        assert_eq!(PasswordPolicy::from_settings(&Settings::default()), PasswordPolicy::default());
        let settings = crate::testing::settings(&[
            ("Accounts_Password_Policy_Enabled", Value::Bool(true)),
            ("Accounts_Password_Policy_MinLength", Value::Number(9.0)),
            ("Accounts_Password_Policy_MaxLength", Value::Number(f64::NAN)),
            ("Accounts_Password_Policy_ForbidRepeatingCharactersCount", Value::Number(1e300)),
            ("Accounts_Password_Policy_AtLeastOneSpecialCharacter", Value::Bool(false)),
        ]);
        let expected = PasswordPolicy {
            enabled: true,
            min_length: 9,
            max_length: 0,
            repeating_count: i64::MAX,
            special: false,
            ..PasswordPolicy::default()
        };
        assert_eq!(PasswordPolicy::from_settings(&settings), expected);
    }

    #[test]
    fn a_good_password_has_no_violation() {
        for password in ["Passw0rd!", "aB3$567", "Zürich1", "aaaB1_"].map(|p| format!("{p}x")) {
            assert_eq!(strict().faults(&password), [], "{password}");
        }
    }

    #[test]
    fn every_rule_names_its_own_violation() {
        let cases: [(&str, &[V]); 9] = [
            ("aB3$56", &[V::TooShort]),
            ("aB3$567890123", &[V::TooLong]),
            ("aaaaB3$x", &[V::Repeating]),
            ("ABC3$567", &[V::NoLowercase]),
            ("abc3$567", &[V::NoUppercase]),
            ("abcD$efg", &[V::NoNumber]),
            ("abcD3 efg", &[V::NoSpecial]),
            ("aaaa", &[V::TooShort, V::Repeating, V::NoUppercase, V::NoNumber, V::NoSpecial]),
            ("  \t ", &[V::Blank]),
        ];
        for (password, expected) in cases {
            assert_eq!(strict().faults(password), expected, "{password}");
        }
    }

    #[test]
    fn with_the_policy_off_only_blank_is_refused() {
        let off = PasswordPolicy::default();
        assert_eq!(off.faults("a"), []);
        assert_eq!(off.faults(""), [V::Blank]);
        assert_eq!(off.faults(" \u{a0}\n"), [V::Blank]);
        assert_eq!(off.describe(), []);
    }

    #[test]
    fn lengths_are_counted_as_the_web_client_counts_them() {
        let policy = PasswordPolicy { min_length: 4, max_length: 4, ..all_off() };
        assert_eq!(policy.faults("😀😀"), []);
        assert_eq!(policy.faults("😀"), [V::TooShort]);
        assert_eq!(policy.faults("😀😀a"), [V::TooLong]);
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
        assert_eq!(policy.faults("aaaaaaaaaaaa"), []);
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
            let found = policy.faults(&password);
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
            prop_assert_eq!(policy.faults(&c.to_string().repeat(count)), vec![]);
            prop_assert_eq!(policy.faults(&c.to_string().repeat(count + 1)), vec![V::Repeating]);
        }

        #[test]
        fn adding_what_is_missing_heals_the_character_rules(password in "[ -~]{0,10}") {
            let policy = PasswordPolicy { min_length: -1, max_length: -1, forbid_repeating: false, ..strict() };
            prop_assert_eq!(policy.faults(&format!("{password}aB3$")), vec![]);
        }
    }
}
