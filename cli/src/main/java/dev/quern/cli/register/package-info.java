/// The register of conformance: reports that claim it, their digests, signatures and waivers, and
/// the verifier. See docs/register.md.
package dev.quern.cli.register;
