import { writeFileSync } from 'node:fs';

const EVERY_MS = 30_000;

/**
 * A reporter for jest beside its default one. Says every half minute which files are running, if
 * no terminal shows that; and writes the results of each project to the JSON file that the
 * environment variable TALLY_FILE names.
 */
export default class TallyReporter {
	#projects = {};
	#running = new Map();
	#lastEnd = Number.POSITIVE_INFINITY;
	#timer;
	#exitTimeout;

	constructor({ workerGracefulExitTimeout }) {
		this.#exitTimeout = workerGracefulExitTimeout;
	}

	onRunStart() {
		if (process.stdout.isTTY && process.env.TERM !== 'dumb') return;
		this.#timer = setInterval(() => this.#sayWhatRuns(), EVERY_MS);
	}

	onTestFileStart({ path, context }) {
		this.#running.set(this.#nameOf(path, context.config), Date.now());
	}

	onTestFileResult({ path, context }, result) {
		this.#running.delete(this.#nameOf(path, context.config));
		this.#lastEnd = Date.now();
		const tally = (this.#projects[context.config.displayName.name] ??= {
			passed: 0,
			failed: 0,
			skipped: 0,
			seconds: 0,
		});
		tally.passed += result.numPassingTests;
		tally.failed += result.numFailingTests + (result.testExecError ? 1 : 0);
		tally.skipped += result.numPendingTests + result.numTodoTests;
		tally.seconds += result.perfStats.runtime / 1000;
	}

	onRunComplete() {
		clearInterval(this.#timer);
		const file = process.env.TALLY_FILE;
		if (file === undefined) return;
		// Jest waits for its workers that long only when one of them does not end by itself.
		const leftOpen = Date.now() - this.#lastEnd > this.#exitTimeout;
		writeFileSync(file, JSON.stringify({ projects: this.#projects, leftOpen }));
	}

	#nameOf(path, { displayName, rootDir }) {
		return `${displayName.name} ${path.slice(rootDir.length + 1)}`;
	}

	#sayWhatRuns() {
		const lines = [...this.#running].map(
			([name, since]) => `${name} (${Math.round((Date.now() - since) / 1000)} s)`,
		);
		if (lines.length > 0) console.log(`running: ${lines.join(', ')}`);
	}
}
