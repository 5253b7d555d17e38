/// Model measurements: what `quern bench` runs and reports.
package dev.quern.cli.bench;
