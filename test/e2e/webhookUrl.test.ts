import { afterEach, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { accountOf, storeTrigger } from '../../testkit/publishTrigger';
import { misarMail as trigger } from '../../testkit/triggers';
import { useN8n } from '../useN8n';

/** The address that an n8n with its variables registers at a provider; e2e/webhookBase has more addresses. */

const NEW = 'https://new.example.com/automation';
const OLD = 'https://bücher.example.com/';

let n8n: N8nHost;
let sandbox: Sandbox;
const workflows: string[] = [];

useN8n((bed) => ({ n8n, sandbox } = bed), {
	webhookUrl: NEW,
	env: {
		...LAZY_ISOLATES,
		N8N_EDITOR_BASE_URL: 'https://editor.example.com',
		WEBHOOK_URL: OLD,
	},
});

afterEach(async () => {
	for (const id of workflows.splice(0)) await n8n.deleteWorkflow(id);
	expect(endpoints()).toEqual([]);
});

const endpoints = () => sandbox.endpoints(trigger.provider);

/** @returns the workflow's id, and the part of the webhook's address that n8n adds */
async function store(credential: Record<string, string> = {}): Promise<[id: string, rest: string]> {
	const account = { ...accountOf(trigger, 'automatic', sandbox), ...credential };
	const stored = await storeTrigger({ n8n, sandbox }, trigger, 'automatic', account);
	workflows.push(stored.workflowId);
	return [stored.workflowId, new URL(stored.webhookUrl).pathname];
}

it('the webhook URL is that of N8N_WEBHOOK_URL, with its path, if both variables are set', async () => {
	const [id, rest] = await store();
	await n8n.publish(id);
	expect(endpoints()).toMatchObject([{ url: `${NEW}${rest}` }]);
}, 120_000);

it('the test URL is that of N8N_WEBHOOK_URL, too, wherever the editor is', async () => {
	const [id, rest] = await store();
	await n8n.listenForTestEvent(id, 'Trigger');
	expect(endpoints()).toMatchObject([
		{ url: `${NEW}${rest.replace('/webhook/', '/webhook-test/')}` },
	]);
	await n8n.stopListening(id);
	await until('the test endpoint to be gone', 60_000, () => endpoints().length === 0 || undefined);
}, 120_000);

it('the webhook URL is that of WEBHOOK_URL if only that is set, with a host name in any language', async () => {
	await n8n.restart({ webhookUrl: '' });
	const [id, rest] = await store();
	await n8n.publish(id);
	expect(endpoints()).toMatchObject([{ url: `${OLD.slice(0, -1)}${rest}` }]);
}, 180_000);

it('a webhook URL with a password is refused, and the password is shown nowhere', async () => {
	await n8n.restart({ webhookUrl: 'https://me:pa55word@n8n.example.com' });
	const [id] = await store();
	await expect(n8n.publish(id)).rejects.toThrow(
		'it holds a name or a password for n8n.example.com',
	);
	expect(n8n.log()).not.toContain('pa55word');
	expect(JSON.stringify(await n8n.getWorkflow(id))).not.toContain('pa55word');
}, 180_000);

it('a local webhook URL is refused by name if no variable is set', async () => {
	await n8n.restart({ webhookUrl: '', env: { WEBHOOK_URL: '' } });
	const [id] = await store({ baseUrl: 'https://api.misar.io' });
	await expect(n8n.publish(id)).rejects.toThrow(
		`http://localhost:${n8n.port} can only be reached from this machine`,
	);
}, 180_000);
