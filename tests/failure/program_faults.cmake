# Bad input to the program itself: text, exit code, time, and no record left behind.
set(faults "${CMAKE_CURRENT_BINARY_DIR}/faults")
set(results "${CMAKE_CURRENT_BINARY_DIR}/results")
set(trained "${PROJECT_BINARY_DIR}/tests/app/trained")

add_test(NAME make_faults
         COMMAND Python3::Interpreter -B "${CMAKE_CURRENT_SOURCE_DIR}/make_faults.py" "${trained}"
                 "${PROJECT_SOURCE_DIR}/configs/media" "${faults}")
set_tests_properties(make_faults PROPERTIES LABELS failure TIMEOUT 60
                     FIXTURES_SETUP faults FIXTURES_REQUIRED trained_model)

# Sets name, code, text and folder (the name with dashes) from "name|code|text".
macro(vlmark_split_fault fault)
  string(REGEX MATCH "^([^|]+)[|]([^|]+)[|](.*)$" matched "${fault}")
  set(name ${CMAKE_MATCH_1})
  set(code ${CMAKE_MATCH_2})
  set(text "${CMAKE_MATCH_3}")
  string(REPLACE "_" "-" folder ${name})
endmacro()

# vlmark_add_program_fault(name EXIT code [NP n] SAYS text [SAYS text]... COMMAND arguments...)
# Every text once, and nothing but the cause carries the word `vlmark:`.
function(vlmark_add_program_fault name)
  cmake_parse_arguments(arg "" "NP;EXIT" "SAYS;EXPECT;COMMAND" ${ARGN})
  foreach(text IN LISTS arg_SAYS)
    list(APPEND arg_EXPECT --once "${text}")
  endforeach()
  if(arg_NP)
    set(ranks NP ${arg_NP})
  endif()
  vlmark_add_failure_test(${name} ${ranks} COMMAND vlmark ${arg_COMMAND}
    EXPECT --exit-code ${arg_EXIT} --within 10 --once "vlmark:" ${arg_EXPECT}
           --absent "VLMARK RESULT" --no-file "${results}/**/samples.h5*")
  set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED "faults;trained_model"
                                          WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()

# vlmark_add_generate_fault(name EXIT code SAYS text... WITH arguments...)
function(vlmark_add_generate_fault name)
  cmake_parse_arguments(arg "" "EXIT" "SAYS;WITH" ${ARGN})
  vlmark_add_program_fault(generate_fault.${name} EXIT ${arg_EXIT} SAYS ${arg_SAYS}
    COMMAND generate ${arg_WITH})
endfunction()
set(good --model "${trained}/model")
set(picture --image "${faults}/good.png")

foreach(fault
    "no_weights|3|holds no checkpoint"
    "no_config|3|no-config/config.json: cannot be opened"
    "no_tokenizer|3|holds neither tokenizer.json nor both vocab.json and merges.txt"
    "config_cut|3|config-cut/config.json: is not valid JSON"
    "truncated|3|(a truncated or damaged file). Copy or download it again"
    "header_cut|3|bytes but only 92 follow (a truncated file)"
    "empty|3|has 0 bytes"
    "nan|2|element 77 of 'model.layers.1.mlp.down_proj.weight' is nan"
    "wrong_shape|2|has [768, 256] in "
    "other_tokenizer|2|is 525 (the model expects 524)"
    "absent|3|absent/config.json: cannot be opened")
  vlmark_split_fault("${fault}")
  vlmark_add_generate_fault(${name} EXIT ${code} SAYS "${text}" WITH --model "${faults}/${folder}"
                            ${picture})
endforeach()
vlmark_add_generate_fault(renamed EXIT 3 WITH --model "${faults}/renamed" ${picture}
  SAYS "does not fit the model's config.json in 2 tensors"
       "missing: 'model.layers.1.mlp.down_proj.weight' [256, 768]"
       "unexpected: 'model.layers.9.mlp.down_proj.weight' [256, 768]")
vlmark_add_generate_fault(wide_picture EXIT 2 WITH ${good} --image "${faults}/wide.png"
  SAYS "wide.png: " "height 5 and width 1010 have an aspect ratio of 202, the limit is 200")
vlmark_add_generate_fault(flipped_png EXIT 3 WITH ${good} --image "${faults}/flipped.png"
  SAYS "flipped.png: cannot decode the PNG")
vlmark_add_generate_fault(cut_png EXIT 3 WITH ${good} --image "${faults}/cut.png"
  SAYS "cut.png: cannot decode the PNG")
vlmark_add_generate_fault(cut_jpg EXIT 3 WITH ${good} --image "${faults}/cut.jpg"
  SAYS "cut.jpg: cannot decode the JPEG")
vlmark_add_generate_fault(no_picture EXIT 3 WITH ${good} --image "${faults}/text.png"
  SAYS "text.png: the picture is of no known format" "PNG, JPEG and WebP are decoded")
vlmark_add_generate_fault(empty_picture EXIT 3 WITH ${good} --image "${faults}/empty.jpg"
  SAYS "empty.jpg: the picture is empty, 0 bytes")
vlmark_add_generate_fault(absent_picture EXIT 3 WITH ${good} --image "${faults}/absent.png"
  SAYS "absent.png: cannot read the picture: No such file or directory")
vlmark_add_generate_fault(pad_without_picture EXIT 2 WITH ${good} --prompt "A <|image_pad|> here"
  SAYS "the text has 1 image or video pads, but there are 0 grids")
vlmark_add_generate_fault(more_pads_than_pictures EXIT 2
  WITH ${good} ${picture} --prompt "A <|image_pad|> here"
  SAYS "the text has 2 image or video pads, but there are 1 grids")
vlmark_add_generate_fault(no_new_tokens EXIT 2 WITH ${good} --max-new-tokens 0
  SAYS "0 new tokens were asked for")
vlmark_add_generate_fault(too_many_new_tokens EXIT 2 WITH ${good} --max-new-tokens 2000000000
  SAYS "generate: needs " " GB too few (the largest item is keys and values with "
       "Lower --max-new-tokens")

# vlmark_add_convert_fault(name EXIT code SAYS text... WITH arguments...): none leaves weights behind.
function(vlmark_add_convert_fault name)
  cmake_parse_arguments(arg "" "EXIT" "SAYS;WITH" ${ARGN})
  vlmark_add_program_fault(convert_fault.${name} EXIT ${arg_EXIT} SAYS ${arg_SAYS}
    EXPECT --no-file "${results}/convert-${name}/*.safetensors*" COMMAND convert ${arg_WITH})
endfunction()
foreach(fault
    "no_weights|3|holds no checkpoint"
    "no_config|3|no-config/config.json: cannot be opened"
    "config_cut|3|config-cut/config.json: is not valid JSON"
    "truncated|3|(a truncated or damaged file). Copy or download it again"
    "empty|3|has 0 bytes"
    "nan|2|element 77 of 'model.layers.1.mlp.down_proj.weight' is nan"
    "wrong_shape|2|has [768, 256] in "
    "renamed|3|missing: 'model.layers.1.mlp.down_proj.weight' [256, 768]"
    "absent|3|absent/config.json: cannot be opened")
  vlmark_split_fault("${fault}")
  vlmark_add_convert_fault(${name} EXIT ${code} SAYS "${text}"
    WITH "${faults}/${folder}" "${results}/convert-${name}" --dtype bf16)
endforeach()
vlmark_add_convert_fault(onto_itself EXIT 3 WITH "${trained}/model" "${trained}/model"
  SAYS "is not empty (files of two models must not mix). Choose another folder or remove it")
vlmark_add_convert_fault(onto_a_file EXIT 3 WITH "${trained}/model" "${faults}/regular-file"
  SAYS "regular-file: is no folder")
vlmark_add_convert_fault(below_a_file EXIT 3 WITH "${trained}/model" "${faults}/regular-file/x"
  SAYS "regular-file/x: the checkpoint cannot be written there (Not a directory)")
vlmark_add_convert_fault(unknown_preset EXIT 2
  WITH 9B "${results}/convert-unknown_preset" --random-weights 1
  SAYS "no preset is called '9B'. Use one of nano, 2B, 7B, 72B")
vlmark_add_convert_fault(preset_without_seed EXIT 3 WITH nano "${results}/convert-preset_without_seed"
  SAYS "nano/config.json: cannot be opened" "--random-weights SEED")
vlmark_add_convert_fault(headless EXIT 2
  WITH 7B "${results}/convert-headless" --random-weights 1 --names bare
  SAYS "lm_head.weight: has no name in the bare model class")
vlmark_add_convert_fault(other_tokenizer EXIT 2
  WITH nano "${results}/convert-other_tokenizer" --random-weights 1
       --tokenizer "${faults}/other-tokenizer"
  SAYS "<|image_pad|> is 525 (the model expects 524)")
vlmark_add_convert_fault(small_tokenizer EXIT 2
  WITH 2B "${results}/convert-small_tokenizer" --random-weights 1 --tokenizer "${trained}/model"
  SAYS "<|image_pad|> is 524 (the model expects 151655)")
vlmark_add_convert_fault(tokenizer_of_its_own EXIT 2
  WITH "${trained}/model" "${results}/convert-tokenizer_of_its_own" --tokenizer "${trained}/model"
  SAYS "a folder that is converted keeps its tokenizer")

# vlmark_add_run_fault(name EXIT code SAYS text... WITH key=value...): on two ranks.
function(vlmark_add_run_fault name)
  cmake_parse_arguments(arg "" "EXIT" "SAYS;WITH;EXPECT" ${ARGN})
  foreach(setting IN LISTS arg_WITH)
    list(APPEND settings --set "${setting}")
  endforeach()
  vlmark_add_program_fault(run_fault.${name} NP 2 EXIT ${arg_EXIT} SAYS ${arg_SAYS}
    EXPECT ${arg_EXPECT}
    COMMAND run configs/quickstart.toml --set train.steps=2 --set "output.folder=${results}/${name}"
            ${settings})
endfunction()

vlmark_add_run_fault(unknown_key EXIT 2 WITH train.stepz=3
  SAYS "all 2 ranks in phase 'run description'" "train.stepz is not a known key"
       "Did you mean train.steps?")
vlmark_add_run_fault(unknown_table EXIT 2 WITH trian.steps=3
  SAYS "trian.steps is not a known key" "Did you mean train.steps?")
vlmark_add_run_fault(all_problems EXIT 2 WITH train.steps=0 train.learning_rate=-1
  SAYS "train.steps: 0 is out of range" "train.learning_rate: -1 is out of range")
vlmark_add_run_fault(unknown_preset EXIT 2 WITH model.preset=9B
  SAYS "no preset is called '9B'. Use one of nano, 2B, 7B, 72B")
vlmark_add_run_fault(too_large_a_model EXIT 2 WITH model.preset=72B verify.replayed_steps=0
  SAYS "all 2 ranks in phase 'memory'" " GB too few (the largest item is " "beside 1 more there: needs "
       "Use ")
vlmark_add_run_fault(too_few_micro_batches EXIT 2 WITH train.micro_batches=1
  SAYS "1 micro-batches of a step cannot feed 2 replicas")
vlmark_add_run_fault(layout_of_other_ranks EXIT 2 WITH parallel.layout=dp3
  SAYS "layout dp3: needs 3 ranks, but the job has 2. Start 3 ranks, or use dp2")
vlmark_add_run_fault(layout_that_is_none EXIT 2 WITH parallel.layout=tp2x
  SAYS "layout 'tp2x': 'tp2x' has no number" "as in dp2.tp2.pp2")
vlmark_add_run_fault(layout_of_too_many_chunks EXIT 2 WITH parallel.layout=pp2.v9
  SAYS "layout pp2.v9: has 18 chunks, but model nano has 4 decoder layers" "v2 or less with pp2")
vlmark_add_run_fault(folder_below_a_file EXIT 3 WITH "output.folder=${faults}/regular-file/x"
  SAYS "all 2 ranks in phase 'results folder': rank 0: "
       "regular-file/x: the results folder cannot be written")
vlmark_add_run_fault(existing_record EXIT 3
  WITH "output.folder=${faults}/old-record" output.overwrite=false
  SAYS "all 2 ranks in phase 'results folder': rank 0: "
       "old-record: holds the record of an earlier run (samples.h5)")
vlmark_add_run_fault(corrupt_picture EXIT 3 WITH "data.folder=${faults}/media-cut-jpg"
  SAYS "all 2 ranks in phase 'set-up'" "cut.jpg: cannot decode the JPEG")
vlmark_add_run_fault(corrupt_png EXIT 3 WITH "data.folder=${faults}/media-flipped-png"
  SAYS "flipped.png: cannot decode the PNG")
vlmark_add_run_fault(wide_picture EXIT 2 WITH "data.folder=${faults}/media-wide-png"
  SAYS "all 2 ranks in phase 'set-up'" "wide.png: " "aspect ratio of 202, the limit is 200")
vlmark_add_run_fault(absent_data EXIT 3 WITH "data.folder=${faults}/absent"
  SAYS "absent/captions.json: cannot open: No such file or directory")
# A preset would take the tokenizer's ids; trained weights know their own.
vlmark_add_run_fault(other_tokenizer EXIT 2
  WITH model.preset= "model.folder=${trained}/model" "data.tokenizer=${faults}/other-tokenizer"
  SAYS "<|image_pad|> is 525 (the model expects 524)"
       "<|video_pad|> is 524 (the model expects 525)")
foreach(fault
    "no_weights|3|holds no checkpoint"
    "no_config|3|no-config/config.json: cannot be opened"
    "truncated|3|(a truncated or damaged file)"
    "nan|2|element 77 of 'model.layers.1.mlp.down_proj.weight' is nan"
    "wrong_shape|2|has [768, 256] in ")
  vlmark_split_fault("${fault}")
  vlmark_add_run_fault(${name} EXIT ${code} SAYS "all 2 ranks in phase" "${text}"
                       WITH model.preset= "model.folder=${faults}/${folder}")
endforeach()
vlmark_add_run_fault(renamed EXIT 3 WITH model.preset= "model.folder=${faults}/renamed"
  SAYS "missing: 'model.layers.1.mlp.down_proj.weight' [256, 768]"
       "unexpected: 'model.layers.9.mlp.down_proj.weight' [256, 768]")
# A failed run takes the record of the earlier one with it: it was asked to overwrite.
vlmark_add_run_fault(overwritten_record EXIT 3 SAYS "absent/captions.json"
  WITH "output.folder=${faults}/overwritten" output.overwrite=true "data.folder=${faults}/absent"
  EXPECT --no-file "${faults}/overwritten/samples.h5")

# Two ranks that are started with different arguments: the second differs by `WITH`.
function(vlmark_add_unequal_ranks name)
  cmake_parse_arguments(arg "" "EXIT;WITH" "SAYS" ${ARGN})
  set(run run configs/quickstart.toml --set train.steps=2 --set "output.folder=${results}/${name}")
  vlmark_add_program_fault(run_fault.${name} NP 1 EXIT ${arg_EXIT} SAYS ${arg_SAYS}
    COMMAND ${run} : -n 1 $<TARGET_FILE:vlmark> ${run} --set "${arg_WITH}")
endfunction()
vlmark_add_unequal_ranks(absent_on_one_rank EXIT 3 WITH "data.folder=${faults}/absent"
  SAYS "all 2 ranks in phase 'set-up': rank 1: " "absent/captions.json: cannot open")
vlmark_add_unequal_ranks(corrupt_on_one_rank EXIT 3 WITH "data.folder=${faults}/media-cut-jpg"
  SAYS "all 2 ranks in phase 'set-up': rank 1: " "cut.jpg: cannot decode the JPEG")
vlmark_add_unequal_ranks(bad_key_on_one_rank EXIT 2 WITH train.stepz=3
  SAYS "all 2 ranks in phase 'run description': rank 1: " "train.stepz is not a known key")
vlmark_add_unequal_ranks(other_seed_on_one_rank EXIT 2 WITH model.seed=5
  SAYS "rank 1: set-up: this rank" "reads 'seed = 5  # of weights and sample order' where rank 0 reads 'seed = 1")

vlmark_add_program_fault(plan_fault.no_ranks EXIT 2 COMMAND plan --model 7B --ranks 0
  SAYS "--ranks: 0 (at least 1 rank runs). Raise it")
vlmark_add_program_fault(plan_fault.unknown_model EXIT 2 COMMAND plan --model 9B
  SAYS "no preset is called '9B'. Use one of nano, 2B, 7B, 72B")
vlmark_add_program_fault(plan_fault.answer_of_a_run EXIT 2
  COMMAND plan configs/quickstart.toml --generate
  SAYS "--generate: a run description was given (configs/quickstart.toml)")
vlmark_add_program_fault(plan_fault.answer_without_tokens EXIT 2
  COMMAND plan --generate --max-new-tokens 0
  SAYS "--max-new-tokens: 0 (an answer has at least 1)")
vlmark_add_program_fault(plan_fault.picture_without_size EXIT 2 COMMAND plan --picture 4x
  SAYS "--picture: '4x' is no size. Write WIDTHxHEIGHT")
vlmark_add_program_fault(plan_fault.wide_picture EXIT 2 COMMAND plan --picture 1010x5
  SAYS "aspect ratio of 202, the limit is 200")

list(JOIN VLMARK_MPIEXEC " " mpiexec)
add_test(NAME killed_run_test
         COMMAND Python3::Interpreter -B "${CMAKE_CURRENT_SOURCE_DIR}/killed_run_test.py" -v)
set_tests_properties(killed_run_test PROPERTIES LABELS failure PROCESSORS 2 TIMEOUT ${VLMARK_TWO_MINUTES}
  ENVIRONMENT "${VLMARK_TEST_ENVIRONMENT};VLMARK_SOURCE_DIR=${PROJECT_SOURCE_DIR};\
VLMARK_BINARY=$<TARGET_FILE:vlmark>;VLMARK_MPIEXEC=${mpiexec};\
VLMARK_SCRATCH=${CMAKE_CURRENT_BINARY_DIR}/killed")
