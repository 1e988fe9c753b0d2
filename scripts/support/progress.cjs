'use strict';

const EVERY_MS = 5_000;

/**
 * Does a piece of work and says every five seconds that it is under way. No dependency, because
 * installing the dependencies is such work.
 *
 * @template T
 * @param {string} what
 * @param {(line: string) => void} log
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withProgress(what, log, work) {
	const started = Date.now();
	const report = () => log(`${what} (${Math.round((Date.now() - started) / 1000)} s)`);
	report();
	const timer = setInterval(report, EVERY_MS);
	try {
		return await work();
	} finally {
		clearInterval(timer);
	}
}

module.exports = { withProgress };
