/**
 * The `npm pack` file under test, which `scripts/test.ts` makes before the suites that need it.
 *
 * @throws Error when jest was started without it
 */
export function packedPackage(): string {
	const tarball = process.env['PACKAGE_TARBALL'];
	if (tarball === undefined) {
		throw new Error('PACKAGE_TARBALL is not set: run the suite with npm run test:<suite>');
	}
	return tarball;
}
