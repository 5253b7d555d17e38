/// `quern serve`.
package dev.quern.cli.serve;
