/// Models behind HTTP. Begin with [dev.quern.serve.QuernServer].
package dev.quern.serve;
