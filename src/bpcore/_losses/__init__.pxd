# Private: the loops of each loss; losses.pxd is public.
