/// Quantizing, and what it does to a model: how well it predicts, its size, its speed.
package dev.quern.cli.accuracy;
