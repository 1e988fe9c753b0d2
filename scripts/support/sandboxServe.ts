import { startSandbox, type Sandbox, type SandboxOptions } from '../../sandbox';
import { asTable } from '../../testkit/table';
import { CommandFailure, SANDBOX_PORT } from './sandboxClient';

/** Scales a provider's waits between tries: a minute becomes 0.6 s, an hour 36 s. */
export const RETRY_SCALE = 0.01;

/** How `npm run sandbox` starts the sandbox. */
export interface ServeOptions {
	port: number;
	/** Each as `<registered origin>=<real origin>`. */
	route: string[];
	retryScale: number;
}

/** Runs the sandbox alone, for an n8n that is already there. @throws CommandFailure where it cannot start */
export async function serve({ port, route, retryScale }: ServeOptions): Promise<Sandbox> {
	const options: SandboxOptions = {
		port,
		fixedKeys: true,
		allowHttp: true,
		retryTimeScale: retryScale,
		routes: Object.fromEntries(route.map(parseRoute)),
	};
	try {
		return await startSandbox(options);
	} catch (error) {
		if (!isPortTaken(error)) throw error;
		throw new CommandFailure(`Port ${port} is in use; choose another one with --port.`);
	}
}

/** Starts on the port where the commands look for it, or on a free one if that is taken. */
export async function startWhereFound(
	options: SandboxOptions = {},
	port = SANDBOX_PORT,
): Promise<Sandbox> {
	try {
		return await startSandbox({ port, ...options });
	} catch (error) {
		if (options.port !== undefined || !isPortTaken(error)) throw error;
		return await startSandbox(options);
	}
}

function isPortTaken(error: unknown): boolean {
	return (
		typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE'
	);
}

function parseRoute(text: string): [string, string] {
	const [from = '', to = ''] = text.split('=');
	if (!URL.canParse(from) || !URL.canParse(to)) {
		throw new CommandFailure(
			`"${text}" is no route. Write it as https://n8n.example.com=http://127.0.0.1:5678`,
		);
	}
	return [from, to];
}

/** What a person enters in n8n, and where to look. */
export function instructions({ url, pageUrl, keys, login }: Sandbox): string {
	return `Page      ${pageUrl}
Base URL  ${url}, in every n8n credential

${asTable([['provider', 'API key'], ...Object.entries(keys)])}

Mail Panda can also sign in as ${login.email} with the password ${login.password}.`;
}
