import js from "@eslint/js";
import checkFile from "eslint-plugin-check-file";
import { importX } from "eslint-plugin-import-x";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const FEATURES = ["commands", "flow-detail", "flow-list", "health", "session", "settings", "setup"];

/** `ui, lib, api → features → app`; no feature imports another; `ui` knows neither server nor router. */
const ZONES = [
  { target: "./src/features", from: "./src/app" },
  { target: ["./src/ui", "./src/lib", "./src/api"], from: ["./src/features", "./src/app"] },
  { target: ["./src/ui", "./src/lib"], from: "./src/api", except: ["./types.ts"] },
  { target: "./src/lib", from: "./src/ui" },
  ...FEATURES.map((feature) => ({
    target: `./src/features/${feature}`,
    from: "./src/features",
    except: [`./${feature}`],
  })),
];

export default tseslint.config(
  { ignores: ["dist", "test-results", "node_modules", "src/api/generated"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "import-x": importX, "check-file": checkFile, "react-hooks": reactHooks },
    settings: { "import-x/resolver-next": [createTypeScriptImportResolver()] },
    rules: {
      ...reactHooks.configs.recommended.rules,
      // It only says that the React compiler, which is not used, would pass over a component.
      "react-hooks/incompatible-library": "off",
      "import-x/no-restricted-paths": ["error", { zones: ZONES }],
      "import-x/no-cycle": "error",
      "import-x/no-default-export": "error",
      "import-x/order": [
        "error",
        { groups: ["builtin", "external", "internal", "parent", "sibling"], "newlines-between": "always" },
      ],
      "check-file/filename-naming-convention": [
        "error",
        { "**/*.{ts,tsx}": "KEBAB_CASE" },
        { ignoreMiddleExtensions: true },
      ],
      "check-file/folder-naming-convention": ["error", { "src/**/": "KEBAB_CASE" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "max-lines": ["error", { max: 350, skipBlankLines: true, skipComments: true }],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        { property: "dangerouslySetInnerHTML", message: "recorded text is hostile: render text nodes" },
        { property: "innerHTML", message: "recorded text is hostile: render text nodes" },
      ],
    },
  },
  {
    files: ["src/features/**/components/*.tsx", "src/ui/**/*.tsx", "src/app/**/*.tsx"],
    ignores: ["**/*.test.tsx"],
    rules: { "max-lines": ["error", { max: 150, skipBlankLines: true, skipComments: true }] },
  },
  // Playwright's fixtures have a `use` that is no hook; its page scripts speak through the console.
  { files: ["e2e/**"], rules: { "react-hooks/rules-of-hooks": "off", "no-console": "off" } },
  { files: ["*.config.ts"], rules: { "import-x/no-default-export": "off" } },
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: {
      globals: {
        process: "readonly", console: "readonly", Buffer: "readonly", URL: "readonly", setTimeout: "readonly",
        clearTimeout: "readonly", setInterval: "readonly", clearInterval: "readonly", TextEncoder: "readonly",
        document: "readonly", localStorage: "readonly", navigator: "readonly",
      },
    },
  },
);
