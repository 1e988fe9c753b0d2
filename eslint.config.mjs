import js from '@eslint/js';
import { n8nCommunityNodesPlugin } from '@n8n/eslint-plugin-community-nodes';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import importX from 'eslint-plugin-import-x';
import n8nNodesBase from 'eslint-plugin-n8n-nodes-base';
import regexp from 'eslint-plugin-regexp';
import { globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * What is published is linted with n8n's own rule sets, combined as `n8n-node lint` combines them (that
 * command itself lints the repositories that `npm run pack:single` writes). Everything else is linted as
 * ordinary TypeScript: n8n's cloud rules forbid timers and processes, which tests and the sandbox are made of.
 */
const published = ['nodes/**/*.ts', 'credentials/**/*.ts'];
const { recommended } = n8nCommunityNodesPlugin.configs;

export default tseslint.config(
	globalIgnores(['dist', '.dev', '.test-output']),
	{
		linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
	},
	{
		files: ['**/*.ts', '**/*.tsx'],
		extends: [
			js.configs.recommended,
			tseslint.configs.recommendedTypeChecked,
			importX.configs['flat/recommended'],
		],
		languageOptions: { parserOptions: { projectService: true } },
		settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
		rules: {
			'prefer-spread': 'off',
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/switch-exhaustiveness-check': 'error',
			// Methods of n8n's interfaces are async even where an implementation awaits nothing.
			'@typescript-eslint/require-await': 'off',
			// n8n calls a node's methods with its own `this`.
			'@typescript-eslint/unbound-method': 'off',
			// JSON.parse, jest's matchers and many of n8n's types return `any`. Assigning it to a type is
			// fine; reading a member of it or calling it is an error.
			'@typescript-eslint/no-unsafe-argument': 'off',
			'@typescript-eslint/no-unsafe-assignment': 'off',
			'@typescript-eslint/no-unsafe-return': 'off',
			// A credential field is typed as anything JSON can hold, although n8n stores text.
			'@typescript-eslint/no-base-to-string': 'off',
		},
	},
	{
		// They read what comes from outside, which may be made to keep an expression busy.
		files: [...published, 'sandbox/**/*.ts', 'sandbox/**/*.tsx'],
		plugins: { regexp },
		rules: {
			'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
			'regexp/no-super-linear-move': ['error', { report: 'potential' }],
			'no-restricted-properties': [
				'error',
				{
					object: 'URL',
					property: 'canParse',
					message:
						'Node 20 and 22 answer false for a host like bücher.example once V8 has optimised the caller: try new URL.',
				},
			],
		},
	},
	{
		files: published,
		extends: [recommended],
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		rules: { 'no-console': 'error' },
	},
	{
		files: ['package.json'],
		extends: [recommended],
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		rules: { ...n8nNodesBase.configs.community.rules },
		languageOptions: {
			parser: tseslint.parser,
			parserOptions: { extraFileExtensions: ['.json'] },
		},
	},
	{
		files: ['credentials/**/*.ts'],
		rules: {
			...n8nNodesBase.configs.credentials.rules,
			'n8n-nodes-base/cred-class-field-documentation-url-miscased': 'off',
			'n8n-nodes-base/cred-class-field-type-options-password-missing': 'off',
		},
	},
	{
		files: ['nodes/**/*.ts'],
		rules: {
			...n8nNodesBase.configs.nodes.rules,
			'n8n-nodes-base/node-class-description-inputs-wrong-regular-node': 'off',
			'n8n-nodes-base/node-class-description-outputs-wrong': 'off',
			'n8n-nodes-base/node-param-type-options-max-value-present': 'off',
		},
	},
);
