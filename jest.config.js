const { availableParallelism } = require('node:os');

// Half an hour off the hour, and behind UTC: code that takes a time for a local one shows.
process.env.TZ = 'America/St_Johns';

const shared = {
	testEnvironment: 'node',
	transform: {
		'^.+\\.(ts|js)$': [
			'@swc/jest',
			{ jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
		],
	},
	// The signing libraries the tests compare with ship as ES modules only.
	transformIgnorePatterns: ['/node_modules/(?!@octokit/webhooks-methods/)'],
	modulePathIgnorePatterns: ['<rootDir>/.dev/'],
};

/** Test files below test/, under the name that `--selectProjects` knows them by. */
const project = (displayName, files, more = {}) => ({
	...shared,
	displayName,
	testMatch: [files].flat().map((file) => `<rootDir>/test/${file}.test.ts`),
	...more,
});

/** Measured while they run, so nothing else may run beside them. */
const load = ['exactlyOnce', 'forgedFlood', 'rotation'];

/** @type {import('jest').Config} */
module.exports = {
	projects: [
		project('unit', 'unit/*'),
		project('context', 'context/*', {
			setupFilesAfterEnv: ['process', 'exampleNames'].map(
				(name) => `<rootDir>/test/context/${name}.ts`,
			),
		}),
		project('e2e', 'e2e/*'),
		// The end-to-end tests of the nodes again, in the oldest n8n that the package supports.
		project(
			'e2e-1x',
			[
				'e2e/host',
				'e2e/webhookBase',
				'e2e/triggers',
				'e2e/restart',
				'e2e/repair',
				'e2e/update',
				'e2e/actions',
				'e2e/answerAfterRun',
				'faults/lostState',
				'faults/noFreeSlot',
				'faults/starts',
			],
			{
				setupFiles: ['<rootDir>/testkit/oldestN8n.ts'],
			},
		),
		project('faults', `faults/!(${load.join('|')})`),
		project('load', `faults/(${load.join('|')})`),
		project('queue', 'queue/queue'),
		project('queue-main', ['queue/mainProcess', 'queue/lostState', 'queue/killedRuns']),
		project('browser', 'browser/*'),
	],
	reporters: ['default', '<rootDir>/scripts/support/tallyReporter.mjs'],
	testSequencer: '<rootDir>/scripts/support/slowFirstSequencer.cjs',
	testTimeout: 60_000,
	// Of tests marked as concurrent: they limit by themselves what they do at a time.
	maxConcurrency: 100,
	// Tests of a real n8n also wait; with more workers all of them only become slower, and limits are
	// exceeded. TEST_WORKERS is no option of jest's because jest refuses --maxWorkers together with --runInBand.
	maxWorkers: Number(process.env.TEST_WORKERS ?? availableParallelism() + 3),
	// A worker that has not ended by then has something open.
	workerGracefulExitTimeout: 15_000,
};
