/** What the tests of a nightly run do beyond those of a day: `.github/workflows/ci.yml` sets the variables. */

/** Every trigger meets every fault at every call, in each n8n and with and without its publication service. */
export const ALL_FAULTS = process.env['ALL_FAULTS'] === '1';

/** Each single-service package is reviewed, with an install of its own. */
export const ALL_PACKAGES = process.env['ALL_PACKAGES'] === '1';

/** Missed events that are recovered in one go; 5,000 at night, when memory is what counts. */
export const BACKLOG = Number(process.env['BACKLOG'] || 1_000);

/** How often n8n is killed under load before the template Run crashed executions again is published. */
export const KILLS = Number(process.env['KILLS'] || 2);
