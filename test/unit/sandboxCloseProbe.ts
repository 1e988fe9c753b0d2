import http from 'node:http';
import { startSandbox } from '../../sandbox';
import { listen } from '../../testkit/loopback';

/**
 * Run by sandbox.delivery.test.ts as a process of its own: leaves everything unfinished that can be, closes,
 * and has to end by itself.
 */
async function main(): Promise<void> {
	const receiver = http.createServer((request, response) => {
		if (request.url === '/slow') return;
		response.statusCode = 500;
		response.end();
	});
	const origin = await listen(receiver);

	const sandbox = await startSandbox({ retryTimeScale: 1 });
	sandbox.fault({ kind: 'hang' });
	sandbox.fault({ kind: 'delay', delayMs: 600_000 });
	const agent = new http.Agent({ keepAlive: true });
	for (let index = 0; index < 3; index += 1) {
		http.get(`${sandbox.url}/mail/webhooks`, { agent }).on('error', () => {});
	}
	const unfinished = ['/slow', '/failing'].map(
		async (path) =>
			await sandbox.fire({
				provider: 'misar.mail',
				event: 'email.sent',
				url: `${origin}${path}`,
				secret: 's',
			}),
	);
	while (!sandbox.deliveries().some(({ attempts }) => attempts.length > 0)) {
		await new Promise((resolve) => setImmediate(resolve));
	}

	await Promise.all([sandbox.close(), sandbox.close()]);
	const ended = (await Promise.all(unfinished)).flat();
	agent.destroy();
	receiver.close();
	receiver.closeAllConnections();
	process.stdout.write(JSON.stringify(ended.map(({ state }) => state)));
}

void main();
