/**
 * A lock between processes: a folder that only one can make. It is kept fresh while held, so that a
 * lock left by a process that was killed can be distinguished from one in use.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const HEARTBEAT_MS = 2_000;
const STALE_MS = 60_000;
const RETRY_MS = 250;
const REPORT_EVERY = 40;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs `job` while holding the lock; waits as long as another live process holds it.
 * On SIGINT, SIGTERM or SIGHUP the job's signal is aborted; once it has cleaned up and the lock is
 * given back, the error's `signal` names it, so that the caller can end itself with the same signal.
 *
 * @param {string} lockDir
 * @param {(line: string) => void} log
 * @param {(signal: AbortSignal) => Promise<void>} job
 */
export async function withInstallLock(lockDir, log, job) {
	for (let tries = 0; !acquire(lockDir); tries += 1) {
		if (tries % REPORT_EVERY === 0) log('n8n host: waiting for another install to finish');
		await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
	}
	const abort = new AbortController();
	let received;
	const onSignal = (signal) => {
		received = signal;
		abort.abort();
	};
	for (const signal of SIGNALS) process.on(signal, onSignal);
	const heartbeat = setInterval(() => touch(lockDir), HEARTBEAT_MS);
	try {
		await job(abort.signal);
	} catch (error) {
		throw received ? Object.assign(error, { signal: received }) : error;
	} finally {
		clearInterval(heartbeat);
		for (const signal of SIGNALS) process.off(signal, onSignal);
		fs.rmSync(lockDir, { recursive: true, force: true });
	}
}

function acquire(lockDir) {
	try {
		fs.mkdirSync(lockDir);
	} catch (error) {
		if (error.code !== 'EEXIST') throw error;
		if (isStale(lockDir)) takeAway(lockDir);
		return false;
	}
	fs.writeFileSync(ownerFile(lockDir), JSON.stringify({ pid: process.pid, host: os.hostname() }));
	return true;
}

function ownerFile(lockDir) {
	return path.join(lockDir, 'owner.json');
}

function touch(lockDir) {
	const now = new Date();
	try {
		fs.utimesSync(lockDir, now, now);
	} catch {
		// The cache folder was removed meanwhile; the job itself reports it.
	}
}

function isStale(lockDir) {
	try {
		if (Date.now() - fs.statSync(lockDir).mtimeMs > STALE_MS) return true;
		const owner = JSON.parse(fs.readFileSync(ownerFile(lockDir), 'utf8'));
		return owner.host === os.hostname() && !isAlive(owner.pid);
	} catch {
		// Released, or its owner is not written yet: look again.
		return false;
	}
}

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === 'EPERM';
	}
}

/** Renames it first, so that only one of several waiters removes it: the others find nothing to rename. */
function takeAway(lockDir) {
	const grave = `${lockDir}.${process.pid}.stale`;
	try {
		fs.renameSync(lockDir, grave);
	} catch {
		return;
	}
	fs.rmSync(grave, { recursive: true, force: true });
}
