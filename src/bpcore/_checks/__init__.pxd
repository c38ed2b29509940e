# Private: what -DBPCORE_CHECKS compiles in.
