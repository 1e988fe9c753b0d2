import { readFile } from 'node:fs/promises';

/** Linux counts the time of a process in hundredths of a second. */
const TICK_MS = 10;

/** Processor time that a process has taken so far, in milliseconds. */
export interface ProcessorTime {
	readonly mainThread: number;
	readonly allThreads: number;
}

/** Read from /proc (Linux): on a busy machine it varies less than elapsed time. */
export async function processorTime(pid: number): Promise<ProcessorTime> {
	const [mainThread, allThreads] = await Promise.all([
		ticksIn(`/proc/${pid}/task/${pid}/stat`),
		ticksIn(`/proc/${pid}/stat`),
	]);
	return { mainThread: mainThread * TICK_MS, allThreads: allThreads * TICK_MS };
}

async function ticksIn(file: string): Promise<number> {
	const text = await readFile(file, 'utf8');
	// The name of the program, which may hold blanks, stands in brackets before the numbers.
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	const [user = Number.NaN, system = Number.NaN] = fields.slice(11, 13).map(Number);
	return user + system;
}
