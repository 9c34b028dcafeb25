/** Patterns of names. The first two are Kubernetes' own: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
export const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'
export const DNS_NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'
/** A token: RFC 9110, section 5.6.2. */
export const HEADER = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
