/** An artefact that cannot be used; the message says why in words for the one who delivers it. */
export class ArtefactError extends Error {}
