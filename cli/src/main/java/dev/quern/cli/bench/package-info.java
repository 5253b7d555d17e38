/// How fast a model runs, and models of random weights to measure that with.
package dev.quern.cli.bench;
