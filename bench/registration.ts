import { createRequire } from 'node:module';
import { join } from 'node:path';

import type { ICredentialType } from 'n8n-workflow';

import { startSandbox, type Sandbox } from '../sandbox';
import { ContextHost, type TriggerNode } from '../testkit/contextHost';
import { eventParameters, metigan, misarMail, type TriggerCase } from '../testkit/triggers';

/** Registering a trigger in an account that holds other endpoints. */
export interface Registration {
	readonly trigger: string;
	readonly endpoints: number;
	/** Requests to the provider's API to publish, and once more when n8n starts again. */
	readonly publishCalls: number;
	readonly restartCalls: number;
	readonly milliseconds: number;
}

const ACCOUNTS = [10, 100, 1_000, 10_000];

/** Publishes a trigger in accounts of different sizes, once each. */
export async function benchRegistration(): Promise<Registration[]> {
	const registrations: Registration[] = [];
	for (const trigger of [misarMail, metigan]) {
		for (const endpoints of ACCOUNTS) {
			const sandbox = await startSandbox();
			try {
				registrations.push(await register(trigger, endpoints, sandbox));
			} finally {
				await sandbox.close();
			}
		}
	}
	return registrations;
}

async function register(
	trigger: TriggerCase,
	endpoints: number,
	sandbox: Sandbox,
): Promise<Registration> {
	const { provider, parameters, events } = trigger;
	for (let at = 0; at < endpoints; at++) {
		sandbox.addEndpoint(provider, { url: `https://other.example.com/${at}`, events: [...events] });
	}
	const host = new ContextHost({
		node: instantiate<TriggerNode>(trigger.nodeFile),
		credentialType: instantiate<ICredentialType>(trigger.credentialFile),
		credential: { ...parameters, baseUrl: sandbox.url, apiKey: sandbox.keys[provider] },
		parameters: { ...parameters, registration: 'automatic', ...eventParameters(trigger) },
	});
	const started = performance.now();
	await host.publish();
	const milliseconds = performance.now() - started;
	const publishCalls = sandbox.requests().length;
	host.restart();
	if (!(await host.checkExists())) throw new Error('the registered endpoint was not found again');
	const restartCalls = sandbox.requests().length - publishCalls;
	// The next account is a different one: nothing known of this one may be used there.
	await host.unpublish();
	return { trigger: trigger.title, endpoints, publishCalls, restartCalls, milliseconds };
}

/** Makes an object of a class of the built package. */
function instantiate<T>(file: string): T {
	const load = createRequire(join(process.cwd(), 'package.json'));
	const exported: Record<string, new () => T> = load(`./dist/${file}`);
	const [Class] = Object.values(exported);
	if (Class === undefined) throw new Error(`${file} exports nothing`);
	return new Class();
}
