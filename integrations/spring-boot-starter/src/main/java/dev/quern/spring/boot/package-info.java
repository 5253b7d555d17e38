/// What Spring Boot makes of the `quern.` properties: a model, its engine, and Spring AI's chat and
/// embedding models on it, with health, metrics and failures that say what to do.
@NullMarked
package dev.quern.spring.boot;

import org.jspecify.annotations.NullMarked;
