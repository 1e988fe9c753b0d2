import { describe, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { publishTrigger } from '../../testkit/publishTrigger';
import { triggerCases, type TriggerCase } from '../../testkit/triggers';
import { useN8n } from '../useN8n';

/**
 * A Base URL can name any address. All calls go through n8n's own HTTP client, so an n8n that is
 * told to keep its nodes away from internal addresses keeps these nodes away from them as well.
 */

let n8n: N8nHost;
let sandbox: Sandbox;

useN8n((bed) => ({ n8n, sandbox } = bed), {
	env: { N8N_SSRF_PROTECTION_ENABLED: 'true', ...LAZY_ISOLATES },
});

const publish = async (trigger: TriggerCase, credential: Record<string, string>) =>
	await publishTrigger({ n8n, sandbox }, trigger, 'automatic', credential);

const withApi = triggerCases.filter(({ api }) => api !== undefined);

describe('an n8n that protects its network', () => {
	// Together, because n8n tries each call several times before it gives up.
	it.concurrent.each(withApi)(
		'sends nothing of $title to an internal Base URL, and says so',
		async (trigger) => {
			const failure = publish(trigger, { apiKey: sandbox.keys[trigger.provider] });
			await expect(failure).rejects.toThrow('could not be reached');
			expect(sandbox.requests()).toEqual([]);
		},
		120_000,
	);

	it('does not sign in to a Mail Panda at an internal address either', async () => {
		const mailPanda = withApi.find(({ provider }) => provider === 'mailPanda');
		if (mailPanda === undefined) throw new Error('Mail Panda is not among the triggers');
		const login = {
			authentication: 'session',
			email: 'admin@example.com',
			password: 'open sesame',
		};
		await expect(publish(mailPanda, login)).rejects.toThrow();
		expect(sandbox.requests()).toEqual([]);
	});

	it('lets calls to internal addresses through if set to', async () => {
		await n8n.restart({ env: { N8N_SSRF_ALLOWED_IP_RANGES: '127.0.0.0/8' } });
		const [trigger] = withApi;
		if (trigger === undefined) throw new Error('No trigger has an API');
		await publish(trigger, { apiKey: sandbox.keys[trigger.provider] });
		expect(sandbox.endpoints(trigger.provider)).toHaveLength(1);
	});
});
