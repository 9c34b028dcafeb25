import manifest from '../package.json' with { type: 'json' }

/** The version of this build, semver. */
export const RELEASE: string = manifest.version
