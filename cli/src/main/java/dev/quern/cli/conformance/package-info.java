/// Whether providers are right: by the specification, and once the JVM has compiled them.
package dev.quern.cli.conformance;
