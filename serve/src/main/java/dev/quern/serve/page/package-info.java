/// The page at `/`, which asks the other endpoints as any client does.
package dev.quern.serve.page;
