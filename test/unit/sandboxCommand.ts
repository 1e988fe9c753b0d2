import { runSandboxCommand } from '../../scripts/support/sandboxProgram';
import type { ServeOptions } from '../../scripts/support/sandboxServe';

/** What `npm run sandbox -- …` has written, and how it ended. */
export interface Ended {
	/** -1 while it runs. */
	code: number;
	out: string;
	err: string;
	/** What it would have started sandboxes with. */
	served: ServeOptions[];
}

export function nothingYet(): Ended {
	return { code: -1, out: '', err: '', served: [] };
}

/**
 * Runs the command in this process.
 *
 * @param shown takes what it writes as it goes
 * @param interrupted resolves at Ctrl-C
 */
export async function runCommand(
	args: readonly string[],
	shown: Ended = nothingYet(),
	interrupted: () => Promise<void> = async () => {},
): Promise<Ended> {
	shown.code = await runSandboxCommand(args, {
		out: (line) => (shown.out += `${line}\n`),
		err: (line) => (shown.err += `${line}\n`),
		serve: async (options) => void shown.served.push(options),
		interrupted,
	});
	return shown;
}
