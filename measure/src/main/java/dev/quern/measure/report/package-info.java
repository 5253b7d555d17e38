/// Reports over many runs: what was measured, by what kernels, as text, JSON and HTML with charts.
package dev.quern.measure.report;
