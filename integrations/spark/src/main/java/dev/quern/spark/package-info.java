/// Tables of prompts, completed by the executors of an Apache Spark application: see [QuernBatch].
package dev.quern.spark;
