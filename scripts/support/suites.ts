import type { Pin } from '../../testkit/n8n-host/locate';
import type { ProgramName } from '../../testkit/programs';

/** A group of checks that is run and counted as one row of the table. */
export interface Suite {
	readonly name: string;
	/** The programs that it needs and npm does not install. */
	readonly programs?: readonly ProgramName[];
	/** What is built first. */
	readonly needs?: 'dist' | 'tarball';
	/** The n8ns it runs in: the newest one that is pinned, and a folder of pins/. */
	readonly n8n?: readonly Pin[];
	/** A script that is the whole suite, with its arguments. */
	readonly script?: readonly [string, ...string[]];
	/** Projects of jest.config.js whose files run side by side. */
	readonly projects?: readonly string[];
	/** Projects that need a machine with time for them: their files run two at a time, after all of those. */
	readonly inPairs?: readonly string[];
	/** Projects that measure load: their files run one by one, at the end. */
	readonly alone?: readonly string[];
}

/** The projects of jest.config.js that a suite consists of. */
export function projectsOf({ projects = [], inPairs = [], alone = [] }: Suite): string[] {
	return [...projects, ...inPairs, ...alone];
}

const real = { needs: 'tarball', n8n: ['newest'] } as const;

/** All suites. */
export const suites: readonly Suite[] = [
	{ name: 'lint', needs: 'dist', script: ['scripts/lint.mjs'] },
	{ name: 'typecheck', script: ['scripts/typecheck.mjs'] },
	{ name: 'unit', programs: ['openssl'], projects: ['unit'] },
	{ name: 'context', needs: 'dist', projects: ['context'] },
	{ name: 'e2e', ...real, programs: ['openssl'], projects: ['e2e'] },
	{ name: 'e2e-1x', ...real, n8n: ['1.x'], programs: ['openssl'], projects: ['e2e-1x'] },
	{
		name: 'faults',
		...real,
		// One of its files updates an n8n 1.x.
		n8n: ['newest', '1.x'],
		programs: ['caddy', 'nginx'],
		projects: ['faults'],
		alone: ['load'],
	},
	{
		name: 'queue',
		...real,
		programs: ['redis', 'postgresql', 'caddy'],
		projects: ['queue-main'],
		alone: ['queue'],
	},
	// The editor waits seconds, not minutes, for an n8n that other tests slow down.
	{ name: 'browser', ...real, programs: ['chromium'], inPairs: ['browser'] },
];
