import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, expect, it } from '@jest/globals';

import { lastAnswer } from '../../sandbox';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { accountOf, PACKAGE, publishTrigger } from '../../testkit/publishTrigger';
import { metigan } from '../../testkit/triggers';
import { startBed } from '../useN8n';

/** What an update from version 0.1.0 needs, whose triggers had neither `trigger()` nor `execute()`. */

const TRIGGER_FILE = 'MetiganTrigger';

let stop: (() => Promise<void>) | undefined;

afterEach(async () => await stop?.(), 60_000);

const services = process.env['N8N_HOST_PIN'] === '1.x' ? [undefined] : [undefined, false];

it.each(services)(
	'a trigger of 0.1.0 goes on and checks its endpoint, with the publication service %p',
	async (publicationService) => {
		const bed = await startBed({ env: FEW_ISOLATES, publicationService });
		({ stop } = bed);
		const { n8n: host, sandbox: provider } = bed;
		const own = () => provider.endpoints(metigan.provider);
		const fire = async () => {
			const [event] = metigan.events;
			const [sent] = await provider.fire({ provider: metigan.provider, event, retry: false });
			return lastAnswer(sent);
		};

		const installed = join(host.userFolder, '.n8n', 'nodes', 'node_modules', PACKAGE, 'dist');
		const file = join(installed, 'nodes', 'Metigan', `${TRIGGER_FILE}.node.js`);
		const present = await readFile(file);
		for (const method of ['trigger', 'execute']) {
			await appendFile(file, `\ndelete exports.${TRIGGER_FILE}.prototype.${method};\n`);
		}
		await host.restart();
		const account = accountOf(metigan, 'automatic', provider);
		const options = { options: { checkInterval: 1 } };
		const { workflowId } = await publishTrigger(bed, metigan, 'automatic', account, options);
		expect(await fire()).toBe(200);
		await host.waitForExecutions(workflowId, 1);
		const [former] = own();

		await host.kill();
		await writeFile(file, present);
		await host.restart();
		expect(await fire()).toBe(200);
		await host.waitForExecutions(workflowId, 2);
		expect(own()).toMatchObject([{ id: former?.id }]);

		// The service starts the version that was published then, which has no checks.
		if (publicationService !== false) await host.publish(workflowId);
		expect(own()).toMatchObject([{ id: former?.id }]);
		provider.removeEndpoint(metigan.provider, former?.id ?? '');
		await until('the endpoint to be registered again', 150_000, () => own()[0]);
		expect(own()).toHaveLength(1);
		const answered = await until('the next delivery to be accepted', 60_000, async () => {
			const status = await fire();
			// Until the new registration is saved.
			return status === 401 || status === 503 ? undefined : status;
		});
		expect(answered).toBe(200);
		await host.waitForExecutions(workflowId, 3, 30_000, 'webhook');
	},
	400_000,
);
