/**
 * Preloaded into n8n's main process (`node --require`): it begins to listen for the end of a run only a
 * second after it has queued it, as it may on a busy machine. By then a worker has ended a short run, and
 * Bull has forgotten it.
 */
const Module = require('node:module');

const LATE_MS = 1_000;

const load = Module._load;
Module._load = function loadModule(request, parent, ...rest) {
	const loaded = load.call(this, request, parent, ...rest);
	if (request === './job' && /[\\/]bull[\\/]lib[\\/]/.test(parent?.filename ?? ''))
		delay(loaded.prototype);
	return loaded;
};

function delay(job) {
	if (Object.hasOwn(job, 'isLate')) return;
	job.isLate = true;
	const { finished } = job;
	job.finished = async function finishedLate() {
		await new Promise((resolve) => setTimeout(resolve, LATE_MS));
		return await finished.call(this);
	};
}
