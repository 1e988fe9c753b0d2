-- Gives the runs of a worker that died to the other workers. n8n itself gives them up: it allows
-- its queue no second try (maxStalledCount 0), marks them as failed and overwrites their data.
-- A job that is in work has a lock that its worker renews; one that is found without a lock in two
-- sweeps goes back to the head of the queue. Call it once a minute:
--   redis-cli --eval requeue.lua bull:jobs
-- Returns how many jobs it saw without a lock for the first time, and how many it gave back.
local queue = KEYS[1]
local suspects = queue .. ':without-lock'
local seen, given = 0, 0
for _, id in ipairs(redis.call('LRANGE', queue .. ':active', 0, -1)) do
  local known = redis.call('SREM', suspects, id) == 1
  if redis.call('EXISTS', queue .. ':' .. id .. ':lock') == 0 then
    if known then
      redis.call('LREM', queue .. ':active', 1, id)
      redis.call('RPUSH', queue .. ':wait', id)
      given = given + 1
    else
      redis.call('SADD', suspects, id)
      seen = seen + 1
    end
  end
end
return { seen, given }
