// The component kit brings its own few words in more than thirty languages; those that the app does not speak fall
// back to English like everything else.

const WORDS = /\/react-(?:aria|stately|aria-components)\/dist\/.*\/intl\/.*\/([a-z]{2})-[A-Z]{2}\.m?js$/;
const SPOKEN = ["en", "fr"];

/** Leaves the words of other languages out. */
export function kitWords() {
  return {
    name: "kit-words",
    enforce: "pre",
    load(id) {
      const [, language] = WORDS.exec(id) ?? [];
      // Absent, not empty: the kit then looks for its default.
      return language && !SPOKEN.includes(language) ? "export default undefined;" : null;
    },
  };
}
