-- Health of every Showstopper resource. Its status follows kstatus: observedGeneration, Ready, Reconciling, Stalled;
-- Suspended beside them says that a person has to act.
local health = { status = "Progressing", message = "Waiting for the operator to look at it" }
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "Being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
if tonumber(obj.status.observedGeneration) ~= tonumber(obj.metadata.generation) then
  return health
end
local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local function is(kind)
  return found[kind] ~= nil and found[kind].status == "True"
end
if found["Ready"] ~= nil then
  health.message = found["Ready"].message
end
if is("Reconciling") then
  return health
elseif is("Stalled") then
  health.status = "Degraded"
elseif is("Suspended") then
  health.status = "Suspended"
elseif is("Ready") then
  health.status = "Healthy"
end
return health
