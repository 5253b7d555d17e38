/// Model files of real shapes with random weights, for measurements.
package dev.quern.measure.synthetic;
