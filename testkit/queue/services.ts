import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { freePorts } from '../n8n-host/ports';
import { requireCommand } from '../programs';
import { ServerProgram } from '../serverProgram';

const run = promisify(execFile);

const DATABASE = 'n8n';
const USER = 'postgres';

/** A PostgreSQL and a Redis for this test alone, empty, on the loopback address. */
export interface Services {
	/** The settings with which n8n uses them. */
	env: Record<string, string>;
	/** Where Redis is, for n8n's credential. */
	redisAddress: { host: string; port: number };
	/** Runs redis-cli and returns the lines it printed. */
	redis(...args: string[]): Promise<string[]>;
	/** Runs one SQL query and reads its rows with a schema. */
	query<S extends z.ZodTypeAny>(row: S, sql: string): Promise<Array<z.output<S>>>;
	/** Ends both and removes their data. */
	stop(): Promise<void>;
}

/**
 * Starts both servers on free ports in a temporary folder.
 *
 * @throws Error when a program is missing or a server does not come up
 */
export async function startServices(): Promise<Services> {
	const folder = await mkdtemp(join(tmpdir(), 'n8n-queue-'));
	// PostgreSQL refuses to run as root.
	const account = process.getuid?.() === 0 ? await accountOf(USER) : undefined;
	if (account) await chown(folder, account.uid, account.gid);
	// The clients keep our account: another one may not be able to read the checkout.
	const client = { cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C' } };
	const options = { ...client, ...account };
	const [redisPort = 0, postgresPort = 0] = await freePorts(2);
	const servers: ServerProgram[] = [];
	const stop = async () => {
		for (const server of servers) await server.stop();
		await rm(folder, { recursive: true, force: true });
	};
	const redisCli = async (...args: string[]) => {
		const all = ['-h', '127.0.0.1', '-p', String(redisPort), ...args];
		const { stdout } = await run(requireCommand('redis-cli'), all, client);
		return stdout.split('\n').filter((line) => line !== '');
	};
	const at = ['-h', '127.0.0.1', '-p', String(postgresPort)];
	const psql = async (database: string, sql: string) => {
		const args = [...at, '-U', USER, '-d', database, '-v', 'ON_ERROR_STOP=1', '-qAtX', '-c', sql];
		return (await run(requireCommand('psql'), args, { ...client, maxBuffer: 1e9 })).stdout;
	};
	try {
		const data = join(folder, 'postgres');
		const locale = ['-E', 'UTF8', '--locale=C'];
		const init = ['-D', data, '-U', USER, '-A', 'trust', '--no-sync', ...locale];
		await run(requireCommand('initdb'), init, options);
		// Durability is not what is tested; a socket in a folder would need one that all may write to.
		const settings = ['fsync=off', 'unix_socket_directories=', 'max_connections=200'];
		servers.push(
			new ServerProgram(
				requireCommand('postgres'),
				['-D', data, ...at, ...settings.flatMap((setting) => ['-c', setting])],
				options,
				folder,
			),
			new ServerProgram(
				requireCommand('redis-server'),
				['--bind', '127.0.0.1', '--port', String(redisPort), '--save', '', '--dir', folder],
				options,
				folder,
			),
		);
		const [postgres, redis] = servers;
		await postgres?.ready(async () => await psql('postgres', `CREATE DATABASE ${DATABASE}`));
		await redis?.ready(async () => await redisCli('PING'));
	} catch (error) {
		await stop();
		throw error;
	}
	return {
		env: {
			DB_TYPE: 'postgresdb',
			DB_POSTGRESDB_HOST: '127.0.0.1',
			DB_POSTGRESDB_PORT: String(postgresPort),
			DB_POSTGRESDB_DATABASE: DATABASE,
			DB_POSTGRESDB_USER: USER,
			DB_POSTGRESDB_PASSWORD: 'not asked for',
			QUEUE_BULL_REDIS_HOST: '127.0.0.1',
			QUEUE_BULL_REDIS_PORT: String(redisPort),
		},
		redisAddress: { host: '127.0.0.1', port: redisPort },
		redis: redisCli,
		query: async (row, sql) => {
			const text = await psql(
				DATABASE,
				`SELECT coalesce(json_agg(result), '[]') FROM (${sql}) result`,
			);
			return z.array(row).parse(JSON.parse(text));
		},
		stop,
	};
}

interface Account {
	uid: number;
	gid: number;
}

async function accountOf(user: string): Promise<Account> {
	const id = async (flag: string) => Number((await run('id', [flag, user])).stdout);
	return { uid: await id('-u'), gid: await id('-g') };
}
