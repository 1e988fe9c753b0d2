import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, delimiter, join } from 'node:path';
import { guardGroup } from './guard.cjs';
import type { InstalledHost } from './install.mjs';
import { until } from './poll';
import { HostError } from './rest';
import { isReady } from './startPage';

/** n8n's commands: the main process, and the two kinds of helpers that queue mode adds. */
export type Role = 'start' | 'webhook' | 'worker';

/** What a start of n8n needs to know. */
export interface ProcessSettings {
	host: InstalledHost;
	/** n8n's command; default `start`. */
	role?: Role;
	userFolder: string;
	/** The user folder is removed should this process end without stopping n8n. */
	removeFolderOnDeath: boolean;
	port: number;
	brokerPort: number;
	/** The base of the URLs n8n gives to providers; its own address when not set. */
	webhookUrl: string | undefined;
	/** Runs everything that n8n ships, for a person or a browser, rather than only what its API needs. */
	editor: boolean;
	/** Extra settings; they win over the ones set here. */
	env: Record<string, string>;
}

const START_MS = 240_000;
const STOP_MS = 20_000;
const LOG_TAIL = 3_000;
/** The main process prints its line once the published workflows are active; it is ready before that. */
const STARTED: Record<Role, string> = {
	start: 'Editor is now accessible via',
	webhook: 'Webhook listener waiting for requests',
	worker: 'n8n worker is now ready',
};
const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'NODE_COMPILE_CACHE'];

/** One run of the n8n program, with everything it starts, in a process group of its own. */
export class N8nProcess {
	private constructor(
		private readonly child: ChildProcess,
		private readonly groupId: number,
		private readonly dismissGuard: () => void,
	) {}

	/**
	 * Starts n8n and waits until it is ready and its published workflows are active.
	 *
	 * @throws HostError when n8n ends or is not ready in time; the end of its log is in the message
	 */
	static async start(settings: ProcessSettings): Promise<N8nProcess> {
		const logFile = logFileIn(settings.userFolder);
		const log = openSync(logFile, 'a');
		const logStart = statSync(logFile).size;
		const { host, userFolder, role = 'start', editor } = settings;
		mkdirSync(temporaryFolderIn(userFolder), { recursive: true });
		const flags = editor ? [] : [NO_STACK_TRACES];
		const child = spawn(host.nodeBinary, [...flags, host.n8nBin, role], {
			cwd: userFolder,
			env: environment(settings),
			detached: true,
			stdio: ['ignore', log, log],
		});
		closeSync(log);
		const groupId = child.pid;
		if (groupId === undefined) throw new HostError('The n8n program could not be started', 0);
		child.unref();
		const started = new N8nProcess(
			child,
			groupId,
			guardGroup(groupId, settings.removeFolderOnDeath ? userFolder : undefined),
		);
		const ownLog = () => readFileSync(logFile).subarray(logStart).toString();
		try {
			await until('n8n to be ready', START_MS, async () => {
				if (started.ended) throw new Error('n8n ended while starting');
				return ownLog().includes(STARTED[role]) &&
					(await isReady(`http://127.0.0.1:${settings.port}`))
					? true
					: undefined;
			});
		} catch (error) {
			await started.kill();
			const reason = error instanceof Error ? error.message : String(error);
			throw new HostError(`${reason}. The end of its log:\n${ownLog().slice(-LOG_TAIL)}`, 0);
		}
		return started;
	}

	/** The n8n program itself, which leads the group. */
	get pid(): number {
		return this.groupId;
	}

	/** Whether the n8n program itself has ended. */
	get ended(): boolean {
		return this.child.exitCode !== null || this.child.signalCode !== null;
	}

	/** Asks n8n to end and waits; kills it when it takes longer than 20 seconds. */
	async stop(): Promise<void> {
		if (!this.ended) {
			this.child.kill('SIGTERM');
			await until('n8n to end', STOP_MS, () => this.ended || undefined).catch(() => undefined);
		}
		await this.kill();
	}

	/** Ends n8n and everything it started at once, without letting it clean up. */
	async kill(): Promise<void> {
		signalGroup(this.groupId, 'SIGKILL');
		await until('n8n to be gone', STOP_MS, () => this.ended || undefined);
		this.dismissGuard();
	}
}

/** Where n8n's output of all starts is kept. */
export function logFileIn(userFolder: string): string {
	return join(userFolder, 'n8n.log');
}

function temporaryFolderIn(userFolder: string): string {
	return join(userFolder, 'tmp');
}

function signalGroup(groupId: number, signal: NodeJS.Signals): void {
	try {
		process.kill(-groupId, signal);
	} catch {
		// Nothing of the group is left.
	}
}

/** n8n's SQLite driver takes a stack trace for each query: a sixth of a publish's processor time. */
const NO_STACK_TRACES = '--stack-trace-limit=0';

/** Without what the API does not need, a start takes a third of the processor time. */
const WITHOUT_EDITOR = {
	// n8n rewrites all of the editor's files at each start.
	N8N_DISABLE_UI: 'true',
	// Then n8n starts no process for Code nodes. Tests that have one set N8N_RUNNERS_MODE themselves.
	N8N_RUNNERS_MODE: 'external',
	N8N_RUNNERS_AUTH_TOKEN: 'nobody has it',
};

/** It fetches a list from n8n's servers at each start. */
const NEVER = ['mcp-registry'];
/** Features beyond workflows: assistants and chats, ways to sign in, version control, statistics, tracing. */
const FOR_PEOPLE = [
	'agents',
	'breaking-changes',
	'chat-hub',
	'external-secrets',
	'favorites',
	'insights',
	'instance-ai',
	'instance-version-history',
	'ldap',
	'log-streaming',
	'mcp',
	'n8n-packages',
	'oauth-server',
	'otel',
	'provisioning',
	'quick-connect',
	'source-control',
	'sso-oidc',
	'sso-saml',
	'token-exchange',
	'workflow-builder',
	'workflow-reviews',
];

function disabledModules({ host, editor }: ProcessSettings): Record<string, string> {
	// n8n 1.x lacks some of them, and refuses their names.
	if (host.version.startsWith('1.')) return {};
	return { N8N_DISABLED_MODULES: [...NEVER, ...(editor ? [] : FOR_PEOPLE)].join() };
}

/** n8n 1.x does not know the new name, and 2.x says at each start that the old one is to go. */
function addressSetting({ host, webhookUrl }: ProcessSettings): Record<string, string> {
	if (webhookUrl === undefined) return {};
	return { [host.version.startsWith('1.') ? 'WEBHOOK_URL' : 'N8N_WEBHOOK_URL']: webhookUrl };
}

function environment(settings: ProcessSettings): NodeJS.ProcessEnv {
	const env: NodeJS.ProcessEnv = {};
	// No other variables of this process: NODE_ENV=test, NODE_OPTIONS or an N8N_… would change n8n.
	for (const name of PASSED_ON) {
		const value = process.env[name];
		if (value !== undefined) env[name] = value;
	}
	return {
		...env,
		PATH: [dirname(settings.host.nodeBinary), env['PATH']].join(delimiter),
		HOME: settings.userFolder,
		// n8n leaves folders there.
		TMPDIR: temporaryFolderIn(settings.userFolder),
		N8N_USER_FOLDER: settings.userFolder,
		N8N_PORT: String(settings.port),
		N8N_LISTEN_ADDRESS: '127.0.0.1',
		N8N_RUNNERS_BROKER_PORT: String(settings.brokerPort),
		...(settings.role === 'worker' && {
			QUEUE_HEALTH_CHECK_ACTIVE: 'true',
			QUEUE_HEALTH_CHECK_PORT: String(settings.port),
			N8N_WORKER_SERVER_ADDRESS: '127.0.0.1',
		}),
		// On a busy machine a ping can take too long, and n8n then answers everything with 503.
		DB_PING_INTERVAL_SECONDS: '86400',
		N8N_SECURE_COOKIE: 'false',
		N8N_DIAGNOSTICS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
		N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
		N8N_DYNAMIC_BANNERS_ENABLED: 'false',
		N8N_HIRING_BANNER_ENABLED: 'false',
		N8N_TEMPLATES_ENABLED: 'false',
		N8N_PERSONALIZATION_ENABLED: 'false',
		N8N_LICENSE_AUTO_RENEW_ENABLED: 'false',
		// Fetches a list from n8n's servers; a package that is not on it can be installed as well.
		N8N_VERIFIED_PACKAGES_ENABLED: 'false',
		...disabledModules(settings),
		...(!settings.editor && WITHOUT_EDITOR),
		NO_COLOR: '1',
		...addressSetting(settings),
		...settings.env,
	};
}
