import { spawn } from 'node:child_process';

/** Raised when a signal asked this program to end while a command ran. */
export class Interrupted extends Error {
	override readonly name = 'Interrupted';

	constructor(readonly signal: NodeJS.Signals) {
		super(`Interrupted by ${signal}`);
	}
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Whether this is the name of one of the signals that ask a program to end. */
export function isEndSignal(name: unknown): name is (typeof SIGNALS)[number] {
	return SIGNALS.some((signal) => signal === name);
}

/** How a command ended. */
export interface CommandResult {
	/** Its exit code; 1 when it was ended by a signal. */
	code: number;
	/** Its captured output. */
	output: string;
}

/** See {@link run}. */
export interface RunOptions {
	cwd?: string;
	env?: NodeJS.ProcessEnv;
	stdin?: boolean;
	capture?: boolean | 'all';
	abort?: AbortSignal;
}

/**
 * Runs a command in the foreground. Signals to end are passed on to it.
 *
 * @param options.stdin - give it the terminal's input
 * @param options.capture - keep its standard output instead of showing it; `all`: its errors as well
 * @param options.abort - kills the command
 * @throws Interrupted when a signal came meanwhile, after the command has ended
 * @throws Error when it could not be started
 */
export async function run(
	command: string,
	args: string[],
	options: RunOptions = {},
): Promise<CommandResult> {
	let received: NodeJS.Signals | undefined;
	let output = '';
	const child = spawn(command, args, {
		...(options.cwd !== undefined && { cwd: options.cwd }),
		env: { ...process.env, ...options.env },
		stdio: [
			options.stdin ? 'inherit' : 'ignore',
			options.capture ? 'pipe' : 'inherit',
			options.capture === 'all' ? 'pipe' : 'inherit',
		],
	});
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on('data', (chunk: Buffer) => {
			output += chunk.toString();
		});
	}
	const forward = (signal: NodeJS.Signals) => {
		received = signal;
		child.kill(signal);
	};
	for (const signal of SIGNALS) process.on(signal, forward);
	options.abort?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
	try {
		const code = await new Promise<number>((resolve, reject) => {
			child.once('error', reject);
			child.once('close', (exitCode) => resolve(exitCode ?? 1));
		});
		if (received !== undefined) throw new Interrupted(received);
		return { code, output };
	} finally {
		for (const signal of SIGNALS) process.off(signal, forward);
	}
}

/** Runs a JavaScript program with this same Node. */
export async function runNode(
	script: string,
	args: string[],
	options: RunOptions = {},
): Promise<number> {
	return (await run(process.execPath, [script, ...args], options)).code;
}
