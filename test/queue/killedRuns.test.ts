import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { startServices } from '../../testkit/queue/services';
import { TemplateHost } from '../e2e/templateHost';
import { killedRuns } from '../killed/killedRuns';

killedRuns('PostgreSQL', async () => {
	const services = await startServices();
	try {
		const host = await TemplateHost.start({
			fresh: true,
			env: { ...services.env, ...LAZY_ISOLATES },
		});
		return {
			host,
			query: services.query,
			stop: async () => {
				await host.stop();
				await services.stop();
			},
		};
	} catch (error) {
		await services.stop();
		throw error;
	}
});
