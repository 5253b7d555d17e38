/// Spring AI's chat and embedding models, run by Quern in the process that calls them.
@NullMarked
package dev.quern.springai;

import org.jspecify.annotations.NullMarked;
