# Every planted fault ends INVALID by the rule that has to find it; without one the run is VALID.

# vlmark_add_planted_fault(name RULE rule [NP n] [SET key=value...])
function(vlmark_add_planted_fault name)
  cmake_parse_arguments(arg "" "RULE;NP" "SET" ${ARGN})
  set(fault ${name})
  if(arg_NP)
    set(ranks NP ${arg_NP})
  endif()
  foreach(set train.steps=4 train.warmup_steps=1 train.micro_batches=2 data.max_pixels=3136
          control.captions=false control.grey=false
          output.export=false verify.loss_ratio_limit=2 ${arg_SET}
          "output.folder=${CMAKE_CURRENT_BINARY_DIR}/planted/${name}")
    list(APPEND sets --set "${set}")
  endforeach()
  if(arg_RULE)
    string(REGEX MATCH "^[a-z_]+" fault "${name}")
    list(APPEND sets --set "test.fault=${fault}")
    set(expect --exit-code 5 --once "VLMARK RESULT INVALID rule=${arg_RULE} "
               --once "test.fault = ${fault}: a planted error")
  else()
    set(expect --exit-code 0 --once "VLMARK RESULT VALID " --absent "planted error")
  endif()
  vlmark_add_failure_test(planted_fault.${name} ${ranks}
    COMMAND vlmark run configs/quickstart.toml ${sets} EXPECT --within 110 ${expect})
  set_tests_properties(planted_fault.${name} PROPERTIES WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()

vlmark_add_planted_fault(clean)
vlmark_add_planted_fault(clean.bf16 SET model.precision=bf16)
vlmark_add_planted_fault(clean.bf16_states SET model.precision=bf16 optimizer.state=bf16)
vlmark_add_planted_fault(clean.fast NP 2 SET train.deterministic=false)
vlmark_add_planted_fault(clean.recompute SET recompute.layer=true train.untimed_steps=0)
foreach(layout dp2 tp2 pp2)
  vlmark_add_planted_fault(clean.${layout} NP 2 SET parallel.layout=${layout})
endforeach()
vlmark_add_planted_fault(clean.tp2_bf16 NP 2 SET parallel.layout=tp2 model.precision=bf16)
vlmark_add_planted_fault(truncated_operands RULE V2)
vlmark_add_planted_fault(truncated_operands.bf16 RULE V2 SET model.precision=bf16)
vlmark_add_planted_fault(skipped_layer RULE R5)
vlmark_add_planted_fault(skipped_layer.bf16 RULE R5 SET model.precision=bf16)
vlmark_add_planted_fault(wrong_attention_row RULE V3)
vlmark_add_planted_fault(wrong_attention_row.bf16 RULE V3 SET model.precision=bf16)
vlmark_add_planted_fault(shuffled_collective RULE V4)
vlmark_add_planted_fault(shuffled_collective.np2 RULE V4 NP 2)
vlmark_add_planted_fault(wrong_gradient RULE V5)
vlmark_add_planted_fault(wrong_gradient.bf16 RULE V7 SET model.precision=bf16)
vlmark_add_planted_fault(stale_gradient RULE V1)
vlmark_add_planted_fault(stale_gradient.bf16_states RULE V1
  SET model.precision=bf16 optimizer.state=bf16)
vlmark_add_planted_fault(dropped_micro_batch RULE R5)
vlmark_add_planted_fault(dropped_micro_batch.dp2 RULE R5 NP 2)
vlmark_add_planted_fault(dropped_micro_batch.pp2 RULE R5 NP 2 SET parallel.layout=pp2)
vlmark_add_planted_fault(cached_output RULE R5)
vlmark_add_planted_fault(cached_output.recompute RULE R5 SET recompute.layer=true)
vlmark_add_planted_fault(short_run RULE R5 SET train.untimed_steps=1)
vlmark_add_planted_fault(short_run.seconds RULE R9
  SET train.steps=500 window.seconds=2 window.steps=4)
vlmark_add_planted_fault(desynchronised_replica RULE V6 NP 2)
vlmark_add_planted_fault(wrong_picture_size RULE R4 SET data.max_pixels=12544)
vlmark_add_planted_fault(wrong_picture_size.pp2 RULE R4 NP 2
  SET data.max_pixels=12544 parallel.layout=pp2)
vlmark_add_planted_fault(lost_partial_sum RULE V5 NP 2 SET parallel.layout=tp2)
vlmark_add_planted_fault(lost_partial_sum.bf16 RULE V5 NP 2
  SET parallel.layout=tp2 model.precision=bf16)
vlmark_add_planted_fault(lost_message RULE V5 NP 2 SET parallel.layout=pp2)
vlmark_add_planted_fault(lost_message.bf16 RULE V5 NP 2
  SET parallel.layout=pp2 model.precision=bf16)
vlmark_add_planted_fault(nan_loss RULE V5)
