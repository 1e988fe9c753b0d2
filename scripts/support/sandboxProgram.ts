import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { catalogue, type SandboxEndpoint } from '../../sandbox';
import type { Entry, PageState } from '../../sandbox/page/types';
import { CommandFailure, SANDBOX_PORT, SandboxClient } from './sandboxClient';
import { fire, type FireOptions } from './sandboxFire';
import { follow } from './sandboxFollow';
import { RETRY_SCALE, type ServeOptions } from './sandboxServe';
import { endpointTable, logLine } from './sandboxText';

/** What the commands need from the process they run in. */
export interface Terminal {
	out(line: string): void;
	err(line: string): void;
	/** Runs the sandbox until it is told to end. */
	serve(options: ServeOptions): Promise<void>;
	/** Resolves at Ctrl-C, or another signal to end. */
	interrupted(): Promise<void>;
}

const TAMPERS = ['body', 'signature', 'wrongSecret', 'unsigned', 'stale', 'future', 'swappedEvent'];
const FAULTS = [
	'status',
	'drop',
	'truncate',
	'html',
	'hang',
	'empty',
	'delay',
	'planRefusal',
	'rateLimit',
	'scopeRefusal',
	'clear',
];
const PROVIDERS = catalogue.map(({ provider }) => provider);
const ENDED_WELL = 0;
const FAILED = 1;
const MISUSED = 2;

/** `npm run sandbox -- <arguments>`. @returns the exit code */
export async function runSandboxCommand(
	args: readonly string[],
	terminal: Terminal,
): Promise<number> {
	let code = ENDED_WELL;
	const program = createProgram(terminal, () => {
		code = FAILED;
	});
	try {
		await program.parseAsync(args, { from: 'user' });
		return code;
	} catch (error) {
		if (error instanceof CommanderError) return error.exitCode === 0 ? ENDED_WELL : MISUSED;
		if (!(error instanceof CommandFailure)) throw error;
		terminal.err(error.message);
		return FAILED;
	}
}

function createProgram({ out, err, serve, interrupted }: Terminal, fail: () => void): Command {
	const program = new Command('npm run sandbox --')
		.description(
			'A stand-in for the webhook providers. Without a command it starts; the commands act on one that runs.',
		)
		.configureOutput({
			writeOut: (text) => out(text.trimEnd()),
			writeErr: (text) => err(text.trimEnd()),
		})
		.showHelpAfterError('Try: npm run sandbox -- --help')
		.exitOverride()
		.addHelpText(
			'after',
			`
Exit codes: 0 as it should be; 1 not so, or no sandbox answers; 2 the command is misspelt.

Examples:
  npm run sandbox -- fire metigan email.bounced
  npm run sandbox -- fire metigan email.bounced --forged
  npm run sandbox -- fire misar.dev plugin.installed --to http://localhost:5678/webhook/… --secret whsec_…
  npm run sandbox -- fault rateLimit --provider metigan --times 3`,
		);

	program
		.command('serve', { isDefault: true })
		.description('start the sandbox (the default)')
		.option('--port <number>', 'port on 127.0.0.1', port, SANDBOX_PORT)
		.option(
			'--route <from=to>',
			'where deliveries for a public address are really sent; may be repeated',
			(route: string, before: string[]) => [...before, route],
			[],
		)
		.option(
			'--retry-scale <factor>',
			'from the providers’ waits between tries to real ones',
			scale,
			RETRY_SCALE,
		)
		.allowExcessArguments()
		.action(async (options: ServeOptions, { args: [unknown] }: Command) => {
			if (unknown !== undefined) program.error(`error: unknown command '${unknown}'`);
			await serve(options);
		});

	const command = (name: string, description: string) =>
		program
			.command(name)
			.description(description)
			.option(
				'--url <address>',
				'address of the sandbox',
				address,
				`http://127.0.0.1:${SANDBOX_PORT}`,
			);

	command('fire', 'fire an event at the endpoints that are subscribed to it')
		.argument('<provider>', `one of ${PROVIDERS.join(', ')}`, provider)
		.argument('<event>', 'name of the event')
		.addOption(
			new Option('--forged [kind]', 'deliver it so that the receiver must refuse it')
				.choices(TAMPERS)
				.preset('signature'),
		)
		.option('--copies <number>', 'send the same delivery so often at once', positive)
		.option('--times <number>', 'fire so many events', positive)
		.option('--rate <number>', 'events per second, with --times', positive)
		.option('--scheme <id>', 'signature scheme')
		.option('--envelope <id>', 'JSON around the data')
		.option('--endpoint <id>', 'only to this endpoint')
		.option('--to <address>', 'to a URL that was registered by hand')
		.option('--secret <text>', 'signing secret for --to')
		.option('--data <json>', 'the event’s data instead of the sample, or @file', json)
		.option('--no-retry', 'send once, whatever the answer')
		.option('--wait', 'also for the tries that follow a failed one')
		.addHelpText(
			'after',
			'\nEnds with 0 if every valid delivery was accepted, or every forged one refused: at the first try, or with --wait at the last.',
		)
		.action(async (id: string, event: string, options: FireOptions) => {
			if (!(await fire({ ...options, provider: id, event }, out))) fail();
		});

	command('list', 'list the registered endpoints')
		.option('--json', 'as JSON, with the signing secrets')
		.action(async ({ url, json: asJson }: { url: string; json?: true }) => {
			const endpoints = await new SandboxClient(url).call<SandboxEndpoint[]>('GET', '/endpoints');
			out(asJson ? JSON.stringify(endpoints, undefined, 2) : endpointTable(endpoints));
		});

	command('log', 'show deliveries and API calls, oldest first')
		.option('--last <number>', 'only the newest', positive, 20)
		.option('--full', 'with headers and bodies')
		.option('--json', 'as JSON; with --follow one object a line')
		.option('--follow', 'go on with what comes, until Ctrl-C')
		.action(async ({ url, last, full = false, json: asJson, follow: on }: LogOptions) => {
			const client = new SandboxClient(url);
			if (on) {
				const show = (entry: Entry) => out(asJson ? JSON.stringify(entry) : logLine(entry, full));
				await follow(client, { last, show, tell: err, ended: interrupted() });
				return;
			}
			const { entries } = await client.call<PageState>('GET', '/log');
			const newest = entries.slice(-last);
			if (asJson) out(JSON.stringify(newest, undefined, 2));
			else if (newest.length === 0) out('Nothing has happened yet.');
			else out(newest.map((entry) => logLine(entry, full)).join('\n'));
		});

	command('fault', 'answer the next API calls badly, or clear all faults')
		.addArgument(program.createArgument('<kind>', 'what to answer').choices(FAULTS))
		.option('--provider <id>', 'only calls of this provider', provider)
		.option('--times <number>', 'how many calls', positive)
		.option('--status <code>', 'status of the answer', positive)
		.option('--delay <ms>', 'milliseconds to wait before it', positive)
		.action(async (kind: string, { url, delay: delayMs, ...fault }: FaultOptions) => {
			const client = new SandboxClient(url);
			if (kind === 'clear') await client.call('DELETE', '/faults');
			else await client.call('POST', '/faults', { kind, ...fault, delayMs });
			out(kind === 'clear' ? 'All faults are cleared.' : `The fault ${kind} is set.`);
		});

	const act = (name: string, description: string) =>
		command(name, description)
			.argument('<provider>', 'the provider', provider)
			.argument('<endpoint>', 'id of the endpoint, see list');

	for (const active of [true, false]) {
		const word = active ? 'on' : 'off';
		act(word, `switch an endpoint ${word}`).action(async (...[at, id, { url }]: ActArguments) => {
			await new SandboxClient(url).call('PATCH', endpointPath(at, id), { active });
			out(`Endpoint ${id} is switched ${word}.`);
		});
	}
	act('delete', 'delete an endpoint').action(async (...[at, id, { url }]: ActArguments) => {
		await new SandboxClient(url).call('DELETE', endpointPath(at, id));
		out(`Endpoint ${id} is deleted.`);
	});
	act('rotate-secret', 'issue a new signing secret for an endpoint').action(
		async (...[at, id, { url }]: ActArguments) => {
			const path = `${endpointPath(at, id)}/secret`;
			const { secret } = await new SandboxClient(url).call<{ secret: string }>('POST', path);
			out(secret);
		},
	);
	command('new-key', 'issue a new API key, and refuse the old one')
		.argument('<provider>', 'the provider', provider)
		.action(async (id: string, { url }: { url: string }) => {
			const { key } = await new SandboxClient(url).call<{ key: string }>('POST', `/keys/${id}`);
			out(key);
		});
	return program;
}

interface LogOptions {
	url: string;
	last: number;
	full?: boolean;
	json?: boolean;
	follow?: boolean;
}

type ActArguments = [provider: string, endpoint: string, options: { url: string }];

interface FaultOptions {
	url: string;
	provider?: string;
	times?: number;
	status?: number;
	delay?: number;
}

function endpointPath(id: string, endpoint: string): string {
	return `/endpoints/${id}/${encodeURIComponent(endpoint)}`;
}

function provider(text: string): string {
	if (PROVIDERS.some((id) => id === text)) return text;
	throw new InvalidArgumentError(`The providers are ${PROVIDERS.join(', ')}.`);
}

function address(text: string): string {
	if (/^https?:/.test(text) && URL.canParse(text)) return text;
	throw new InvalidArgumentError(`Write it as http://127.0.0.1:${SANDBOX_PORT}.`);
}

function positive(text: string): number {
	if (/^[1-9]\d*$/.test(text)) return Number(text);
	throw new InvalidArgumentError('It has to be a whole number above 0.');
}

function port(text: string): number {
	const number = positive(text);
	if (number <= 65_535) return number;
	throw new InvalidArgumentError('A port is at most 65535.');
}

function scale(text: string): number {
	const number = Number(text);
	if (text !== '' && number >= 0) return number;
	throw new InvalidArgumentError('It has to be a number, 0 or above.');
}

function json(text: string): unknown {
	try {
		return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text);
	} catch (error) {
		throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
	}
}
