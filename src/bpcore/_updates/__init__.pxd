# Private: the loops of the rules; updates.pxd is public.
