/**
 * n8n's own settings to evaluate expressions in V8 isolates, as it does by default, but to make one only where there
 * is something to evaluate: by default it makes one for each delivery, run and credential that is read, which takes
 * more of the processor's time than all the rest of it. deploy/docker-compose.yml has them, too.
 */
export const LAZY_ISOLATES = {
	N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE: 'true',
	N8N_EXPRESSION_ENGINE_COMPILE_CACHE: 'true',
};

/** n8n evaluates in its own process, for thousands of runs that have an expression. n8n calls it no longer secure. */
export const NO_ISOLATES = { N8N_EXPRESSION_ENGINE: 'legacy' };

/** For tests that also run in n8n 1.x (testkit/oldestN8n.ts), which does not know {@link LAZY_ISOLATES}. */
export const FEW_ISOLATES: Record<string, string> =
	process.env['N8N_HOST_PIN'] === '1.x' ? NO_ISOLATES : LAZY_ISOLATES;
