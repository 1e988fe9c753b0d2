/** @type {import('jest').Config} */
module.exports = {
	testEnvironment: 'node',
	testMatch: ['<rootDir>/test/**/*.test.ts'],
	transform: {
		'^.+\\.(ts|js)$': [
			'@swc/jest',
			{ jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
		],
	},
	// The signing libraries the tests compare with ship as ES modules only.
	transformIgnorePatterns: ['/node_modules/(?!@octokit/webhooks-methods/)'],
	testTimeout: 60_000,
	// Of tests marked as concurrent: they limit by themselves what they do at a time.
	maxConcurrency: 100,
};
