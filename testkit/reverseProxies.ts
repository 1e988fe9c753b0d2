import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchOnNewConnection } from './n8n-host/fetch';
import { freePorts } from './n8n-host/ports';
import { requireCommand } from './programs';
import { ServerProgram } from './serverProgram';

/** A reverse proxy in front of n8n, on the loopback address. */
export interface ReverseProxy {
	/** Its origin. */
	readonly url: string;
	stop(): Promise<void>;
}

/** Where a host that the lines name really is: `n8n:5678` to `127.0.0.1:12345`. A name is a regular expression. */
export type Upstreams = Readonly<Record<string, string>>;

/**
 * Starts Caddy with a Caddyfile of one site, `n8n.example.com` or `{$N8N_DOMAIN}`, which is served without TLS.
 *
 * @throws Error with Caddy's log when it does not come up
 */
export async function startCaddy(caddyfile: string, upstreams: Upstreams): Promise<ReverseProxy> {
	return await startProxy(async (folder, port) => {
		const site = `http://127.0.0.1:${port}`;
		// Several Caddys cannot share the port of the admin API.
		const lines = `{\n\tadmin off\n}\n${caddyfile.replace('n8n.example.com', site)}`;
		const file = join(folder, 'Caddyfile');
		await writeFile(file, readdress(lines, upstreams));
		const args = ['run', '--config', file, '--adapter', 'caddyfile'];
		const env = { PATH: process.env['PATH'], HOME: folder, N8N_DOMAIN: site };
		return new ServerProgram(requireCommand('caddy'), args, { cwd: folder, env }, folder);
	});
}

/**
 * Starts nginx with the lines of one `server`, without TLS.
 *
 * @throws Error with nginx's log when it does not come up
 */
export async function startNginx(serverLines: string, upstreams: Upstreams): Promise<ReverseProxy> {
	return await startProxy(async (folder, port) => {
		const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
		const file = join(folder, 'nginx.conf');
		await writeFile(
			file,
			`daemon off;
master_process off;
pid nginx.pid;
events {}
http {
access_log off;
${temporary.map((name) => `${name}_temp_path ${name};`).join('\n')}
server {
listen 127.0.0.1:${port};
${readdress(serverLines, upstreams)}
}
}
`,
		);
		const args = ['-p', folder, '-c', file, '-e', 'stderr'];
		const env = { PATH: process.env['PATH'] };
		return new ServerProgram(requireCommand('nginx'), args, { cwd: folder, env }, folder);
	});
}

async function startProxy(
	start: (folder: string, port: number) => Promise<ServerProgram>,
): Promise<ReverseProxy> {
	const folder = await mkdtemp(join(tmpdir(), 'reverse-proxy-'));
	const [port = 0] = await freePorts(1);
	const url = `http://127.0.0.1:${port}`;
	let program: ServerProgram | undefined;
	const stop = async () => {
		await program?.stop();
		await rm(folder, { recursive: true, force: true });
	};
	try {
		program = await start(folder, port);
		await program.ready(async () => await fetchOnNewConnection(url));
		return { url, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}

function readdress(lines: string, upstreams: Upstreams): string {
	return Object.entries(upstreams).reduce(
		(text, [name, address]) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), address),
		lines,
	);
}
