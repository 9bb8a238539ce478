//! Names of several libraries on small networks and on the zoo's.
