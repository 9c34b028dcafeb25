# The addresses of a cluster, from the range that is set aside for tests (RFC 2544). They exist in its own network only.
node=198.18.0.1 pods=198.18.1.0/24 services=198.19.0.0/16 api=198.19.0.1
