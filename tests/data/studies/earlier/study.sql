BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'bowl');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MINIMIZE',1,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'definition','{"space": {"learning_rate": {"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}, "max_length": {"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}}, "metric": "minimize eval_loss", "method": "sft", "config": {"batch_size": 16, "dataset_name": "rows.jsonl", "learning_rate": 1e-05, "max_length": 512, "max_steps": -1, "model_name_or_path": "tuner/tiny", "num_train_epochs": 1.0, "per_device_eval_batch_size": 16, "per_device_train_batch_size": 16, "seed": 7, "use_peft": true, "warmup_ratio": 0.03}}');
INSERT INTO "study_user_attributes" VALUES(2,1,'attempts:trial-000','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(3,1,'memory:trial-000','{"needs": {"max_length": 512}, "failed": [16, 16], "fits": [8, 8], "likely": false}');
INSERT INTO "study_user_attributes" VALUES(4,1,'attempts:trial-001','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(5,1,'attempts:trial-002','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(6,1,'attempts:trial-003','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(7,1,'memory:trial-003','{"needs": {"max_length": 8192}, "failed": [2, 2], "fits": [1, 1], "likely": false}');
INSERT INTO "study_user_attributes" VALUES(8,1,'attempts:trial-004','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(9,1,'attempts:trial-005','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(10,1,'attempts:trial-006','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(11,1,'attempts:trial-007','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(12,1,'attempts:repeat-0-seed-8','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(13,1,'done:repeat-0-seed-8','{"trial": 0, "seed": 8, "value": 1.3415081628229792, "seconds": 0.046804554000118515, "settings": {"learning_rate": 1e-05, "max_length": 512}, "error": null, "steps": 400.0, "lost": 0.0}');
INSERT INTO "study_user_attributes" VALUES(14,1,'attempts:repeat-2-seed-8','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(15,1,'done:repeat-2-seed-8','{"trial": 2, "seed": 8, "value": 1.0141566379186935, "seconds": 0.04130426700021417, "settings": {"learning_rate": 0.00025, "max_length": 512}, "error": null, "steps": 400.0, "lost": 0.0}');
INSERT INTO "study_user_attributes" VALUES(16,1,'attempts:repeat-0-seed-9','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(17,1,'done:repeat-0-seed-9','{"trial": 0, "seed": 9, "value": 1.3444852377610579, "seconds": 0.050556033000248135, "settings": {"learning_rate": 1e-05, "max_length": 512}, "error": null, "steps": 400.0, "lost": 0.0}');
INSERT INTO "study_user_attributes" VALUES(18,1,'attempts:repeat-2-seed-9','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(19,1,'done:repeat-2-seed-9','{"trial": 2, "seed": 9, "value": 1.0132091633414269, "seconds": 0.040315311000085785, "settings": {"learning_rate": 0.00025, "max_length": 512}, "error": null, "steps": 400.0, "lost": 0.0}');
INSERT INTO "study_user_attributes" VALUES(20,1,'attempts:repeat-0-seed-10','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(21,1,'done:repeat-0-seed-10','{"trial": 0, "seed": 10, "value": 1.3463131920225637, "seconds": 0.048837878000085766, "settings": {"learning_rate": 1e-05, "max_length": 512}, "error": null, "steps": 400.0, "lost": 0.0}');
INSERT INTO "study_user_attributes" VALUES(22,1,'attempts:repeat-2-seed-10','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
INSERT INTO "study_user_attributes" VALUES(23,1,'done:repeat-2-seed-10','{"trial": 2, "seed": 10, "value": 1.0157716387166704, "seconds": 0.050877672000297025, "settings": {"learning_rate": 0.00025, "max_length": 512}, "error": null, "steps": 400.0, "lost": 0.0}');
INSERT INTO "study_user_attributes" VALUES(24,1,'attempts:trial-008','{"lost": 0.0, "killed": 0, "in_a_row": 0, "reached": 0.0, "under_way": null}');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,100,1.90515680840311851795e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,200,1.8112306142317908808e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,1,300,1.7288355022021406615e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,1,400,1.65355447220652029827e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,1,500,1.58628328934276119355e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,1,600,1.5260869181548710749e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,1,700,1.47330259647201411432e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,1,800,1.42500497544175486197e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,1,900,1.38147403539469548761e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,1,1000,1.3433218980892793759e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(11,2,100,1.74197115086833576036e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(12,2,200,1.5438476145481276891e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(13,2,300,1.39943996231282219433e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(14,2,400,1.29423646477602205528e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(15,2,500,1.21810501513238955695e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(16,2,600,1.16181634232692143626e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(17,2,700,1.12166471608876960885e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(18,2,800,1.09217068492657265466e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(19,2,900,1.07030048081694295625e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(20,2,1000,1.05412057497041256048e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(21,3,100,1.59212755722234722277e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(22,3,200,1.34674739012242050684e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(23,3,300,1.20496869769392955795e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(24,3,400,1.12299394628839865895e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(25,3,500,1.07647687489602117416e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(26,3,600,1.04907841409309421365e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(27,3,700,1.03363006331729634368e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(28,3,800,1.02447813847231405937e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(29,3,900,1.01908126240738483581e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(30,3,1000,1.01559384273811348364e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(31,6,100,1.97450680510259601874e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(32,6,200,1.94075831339387772089e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(33,6,300,1.90889344839984964607e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(34,6,400,1.87867211479257378847e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(35,6,500,1.84892143101602046684e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(36,7,100,1.67258178351684572149e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(37,7,200,1.45012272897878413679e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(38,7,300,1.30178683208339496246e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(39,7,400,1.20324636430219666927e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(40,7,500,1.13811821576714855552e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(41,7,600,1.09414071569456750054e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(42,7,700,1.06599433408807620082e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(43,8,100,1.58888664543285984542e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(44,8,200,1.34471296400916062729e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(45,8,300,1.20367580476132052247e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(46,8,400,1.12223219604993618148e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(47,8,500,1.07436990536548848673e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(48,8,600,1.04699724706833685594e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(49,8,700,1.03240749542429166574e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(50,8,800,1.02256381434528398344e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(51,8,900,1.01700917807434310091e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(52,8,1000,1.01359185936075490985e+00,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'learning_rate',1.0e-05,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'max_length',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(3,2,'learning_rate',8.3e-05,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(4,2,'max_length',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(5,3,'learning_rate',0.00025,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(6,3,'max_length',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(7,4,'learning_rate',0.00025,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(8,4,'max_length',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(9,5,'learning_rate',0.00025,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(10,5,'max_length',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(11,6,'learning_rate',2.78304308079889884015e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(12,6,'max_length',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(13,7,'learning_rate',0.00014,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(14,7,'max_length',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(15,8,'learning_rate',0.00025,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(16,8,'max_length',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
INSERT INTO "trial_params" VALUES(17,9,'learning_rate',1.08301263137148713329e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-06, "high": 0.01, "log": true}}');
INSERT INTO "trial_params" VALUES(18,9,'max_length',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [512, 8192]}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,1,'fixed_params','{"learning_rate": 1e-05, "max_length": 512}');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'moved_by','"file"');
INSERT INTO "trial_user_attributes" VALUES(2,1,'place','["gpu1", "/data/studies/out/trial-000"]');
INSERT INTO "trial_user_attributes" VALUES(3,1,'diagnosis','{"run": "trial-000", "label": "underfit", "cause": "rate-too-low", "confidence": 0.945, "best_step": 400.0, "findings": [{"rule": "rate-too-low", "label": "underfit", "first_step": 4.0, "last_step": 400.0, "measured": {"fall": 0.3283390509553603, "late_share": 0.6446500199088014, "barely": 0.0, "rate": 1e-05, "centre": 0.00025}, "message": "the loss barely falls, or is still on its way at the end: down by 32.8 % in all", "confidence": 0.945}, {"rule": "rate-runs-out", "label": "underfit", "first_step": 4.0, "last_step": 400.0, "measured": {"late_share": 1.200824718091446, "pace": 1.4484899625210288, "fall": 0.3176758634329812, "rate": 1e-05}, "message": "for the learning rate spent the loss falls 1.4 times as fast late in the run as early; it flattens only because the rate decays", "confidence": 0.87}, {"rule": "still-improving", "label": "underfit", "first_step": 4.0, "last_step": 400.0, "measured": {"fall": 0.3283390509553603, "late_share": 0.6446500199088014, "barely": 0.0}, "message": "the loss still falls at the end, at 64 % of the pace of a straight line (33 % lost in all)", "confidence": 0.89}], "advice": [{"knob": "learning_rate", "old": 1e-05, "new": 8.3e-05, "factor": 8.299999999999999, "because": "rate-too-low", "expect": "a loss that falls at once; then one rung of x3 at a time", "confidence": 0.8, "message": "learning_rate 1e-5 \u2192 8.3e-5 (\u00d78.3): raise the learning rate to a third of the usual one"}, {"knob": "batch_size", "old": null, "new": null, "factor": 0.25, "because": "rate-too-low", "expect": "four times as many updates from the same rows", "confidence": 0.64, "message": "use a quarter of the batch for the same number of rows"}, {"knob": "num_train_epochs", "old": 1.0, "new": 2.0, "factor": 2.0, "because": "rate-runs-out", "expect": "the loss goes on falling along the same line", "confidence": 0.608, "message": "num_train_epochs 1 \u2192 2 (\u00d72): train twice as long, up to three epochs"}], "skipped": [{"rule": "start-loss-wrong", "why": "the log does not say vocab_size"}, {"rule": "loss-scaled-by-accumulation", "why": "the log does not say gradient_accumulation_steps"}, {"rule": "epoch-end-log-low", "why": "the log has no epoch"}, {"rule": "gradient-is-zero", "why": "the log has no grad_norm"}, {"rule": "accuracy-contradicts-loss", "why": "the log has no mean_token_accuracy"}, {"rule": "batches-change-size", "why": "the log has no num_tokens"}, {"rule": "entropy-collapses", "why": "the log has no entropy"}, {"rule": "token-accuracy-falls", "why": "the log has no mean_token_accuracy"}, {"rule": "gradients-grow", "why": "the log has no grad_norm"}, {"rule": "gradients-spike", "why": "the log has no grad_norm"}, {"rule": "clips-most-steps", "why": "the log has no grad_norm"}, {"rule": "loss-steps-down-at-epochs", "why": "the log has no epoch"}, {"rule": "repeats-memorised", "why": "the log has no epoch"}, {"rule": "gap-grows", "why": "the log has no epoch"}, {"rule": "learned-by-heart", "why": "the log has no mean_token_accuracy and no eval_mean_token_accuracy"}, {"rule": "surer-than-right", "why": "the log has no eval_entropy"}, {"rule": "too-few-updates", "why": "the log does not say max_steps and the batch size"}, {"rule": "too-few-tokens", "why": "the log has no num_tokens"}, {"rule": "rate-low-for-batch", "why": "the log does not say the learning rate, the batch size and the method"}, {"rule": "batch-too-large", "why": "the log does not say the batch size"}, {"rule": "regularised-too-much", "why": "the log does not say lora_dropout, neftune_noise_alpha or weight_decay"}, {"rule": "adapter-too-small", "why": "the log does not say lora_r, the learning rate and the method"}], "notes": ["the log does not say how long the run was to be: it is judged as a whole run"]}');
INSERT INTO "trial_user_attributes" VALUES(4,1,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(5,1,'noise','0.0');
INSERT INTO "trial_user_attributes" VALUES(6,1,'share','1.0');
INSERT INTO "trial_user_attributes" VALUES(7,1,'method','"sft"');
INSERT INTO "trial_user_attributes" VALUES(8,1,'seconds','1.4132604929995978');
INSERT INTO "trial_user_attributes" VALUES(9,1,'memory','"out of memory with 16 rows on the device: trained with 8 at once and 2 accumulation steps, the same effective batch; evaluated 8 at once"');
INSERT INTO "trial_user_attributes" VALUES(10,1,'steps','400.0');
INSERT INTO "trial_user_attributes" VALUES(11,1,'metrics','{"train_loss": 1.3518526657161942, "eval_loss": 1.3433218980892794}');
INSERT INTO "trial_user_attributes" VALUES(12,1,'before','{"eval_loss": 2.0}');
INSERT INTO "trial_user_attributes" VALUES(13,1,'curve','[[0.0, 2.0], [40.0, 1.9051568084031185], [80.0, 1.8112306142317909], [120.0, 1.7288355022021407], [160.0, 1.6535544722065203], [200.0, 1.5862832893427612], [240.0, 1.526086918154871], [280.0, 1.4733025964720141], [320.0, 1.4250049754417549], [360.0, 1.3814740353946955], [400.0, 1.3433218980892794]]');
INSERT INTO "trial_user_attributes" VALUES(14,2,'moved_by','"advice:rate-too-low"');
INSERT INTO "trial_user_attributes" VALUES(15,2,'because','"rate too low in trial 0: the loss barely falls, or is still on its way at the end: down by 32.8 % in all"');
INSERT INTO "trial_user_attributes" VALUES(16,2,'parent','0');
INSERT INTO "trial_user_attributes" VALUES(17,2,'place','["gpu1", "/data/studies/out/trial-001"]');
INSERT INTO "trial_user_attributes" VALUES(18,2,'diagnosis','{"run": "trial-001", "label": "underfit", "cause": "rate-too-low", "confidence": 0.747, "best_step": 400.0, "findings": [{"rule": "rate-too-low", "label": "underfit", "first_step": 301.0, "last_step": 400.0, "measured": {"fall": 0.4729397125147937, "late_share": 0.5546043959802422, "late_slope": 0.0, "barely": 0.0, "rate": 8.3e-05, "centre": 0.00025}, "message": "the loss barely falls, or is still on its way at the end: down by 47.3 % in all", "confidence": 0.747}], "advice": [{"knob": "learning_rate", "old": 8.3e-05, "new": 0.00025, "factor": 3.0120481927710845, "because": "rate-too-low", "expect": "a loss that falls faster; a second rung only if the first helped", "confidence": 0.56, "message": "learning_rate 8.3e-5 \u2192 2.5e-4 (\u00d73): triple the learning rate"}, {"knob": "batch_size", "old": null, "new": null, "factor": 0.25, "because": "rate-too-low", "expect": "four times as many updates from the same rows", "confidence": 0.448, "message": "use a quarter of the batch for the same number of rows"}], "skipped": [{"rule": "start-loss-wrong", "why": "the log does not say vocab_size"}, {"rule": "loss-scaled-by-accumulation", "why": "the log does not say gradient_accumulation_steps"}, {"rule": "epoch-end-log-low", "why": "the log has no epoch"}, {"rule": "gradient-is-zero", "why": "the log has no grad_norm"}, {"rule": "accuracy-contradicts-loss", "why": "the log has no mean_token_accuracy"}, {"rule": "batches-change-size", "why": "the log has no num_tokens"}, {"rule": "entropy-collapses", "why": "the log has no entropy"}, {"rule": "token-accuracy-falls", "why": "the log has no mean_token_accuracy"}, {"rule": "gradients-grow", "why": "the log has no grad_norm"}, {"rule": "gradients-spike", "why": "the log has no grad_norm"}, {"rule": "clips-most-steps", "why": "the log has no grad_norm"}, {"rule": "loss-steps-down-at-epochs", "why": "the log has no epoch"}, {"rule": "repeats-memorised", "why": "the log has no epoch"}, {"rule": "gap-grows", "why": "the log has no epoch"}, {"rule": "learned-by-heart", "why": "the log has no mean_token_accuracy and no eval_mean_token_accuracy"}, {"rule": "surer-than-right", "why": "the log has no eval_entropy"}, {"rule": "too-few-updates", "why": "the log does not say max_steps and the batch size"}, {"rule": "too-few-tokens", "why": "the log has no num_tokens"}, {"rule": "rate-low-for-batch", "why": "the log does not say the learning rate, the batch size and the method"}, {"rule": "batch-too-large", "why": "the log does not say the batch size"}, {"rule": "regularised-too-much", "why": "the log does not say lora_dropout, neftune_noise_alpha or weight_decay"}, {"rule": "adapter-too-small", "why": "the log does not say lora_r, the learning rate and the method"}], "notes": ["the log does not say how long the run was to be: it is judged as a whole run"]}');
INSERT INTO "trial_user_attributes" VALUES(19,2,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(20,2,'noise','0.0');
INSERT INTO "trial_user_attributes" VALUES(21,2,'share','1.0');
INSERT INTO "trial_user_attributes" VALUES(22,2,'method','"sft"');
INSERT INTO "trial_user_attributes" VALUES(23,2,'seconds','1.3470969100003458');
INSERT INTO "trial_user_attributes" VALUES(24,2,'memory','"out of memory with 16 rows on the device: trained with 8 at once and 2 accumulation steps, the same effective batch; evaluated 8 at once"');
INSERT INTO "trial_user_attributes" VALUES(25,2,'steps','400.0');
INSERT INTO "trial_user_attributes" VALUES(26,2,'metrics','{"train_loss": 1.0601334851558741, "eval_loss": 1.0541205749704126}');
INSERT INTO "trial_user_attributes" VALUES(27,2,'before','{"eval_loss": 2.0}');
INSERT INTO "trial_user_attributes" VALUES(28,2,'curve','[[0.0, 2.0], [40.0, 1.7419711508683358], [80.0, 1.5438476145481277], [120.0, 1.3994399623128222], [160.0, 1.294236464776022], [200.0, 1.2181050151323896], [240.0, 1.1618163423269214], [280.0, 1.1216647160887696], [320.0, 1.0921706849265727], [360.0, 1.070300480816943], [400.0, 1.0541205749704126]]');
INSERT INTO "trial_user_attributes" VALUES(29,3,'moved_by','"advice:rate-too-low"');
INSERT INTO "trial_user_attributes" VALUES(30,3,'because','"rate too low in trial 1: the loss barely falls, or is still on its way at the end: down by 47.3 % in all"');
INSERT INTO "trial_user_attributes" VALUES(31,3,'parent','1');
INSERT INTO "trial_user_attributes" VALUES(32,3,'place','["gpu1", "/data/studies/out/trial-002"]');
INSERT INTO "trial_user_attributes" VALUES(33,3,'diagnosis','{"run": "trial-002", "label": "healthy", "cause": null, "confidence": 0.918, "best_step": 400.0, "findings": [], "advice": [], "skipped": [{"rule": "start-loss-wrong", "why": "the log does not say vocab_size"}, {"rule": "loss-scaled-by-accumulation", "why": "the log does not say gradient_accumulation_steps"}, {"rule": "epoch-end-log-low", "why": "the log has no epoch"}, {"rule": "gradient-is-zero", "why": "the log has no grad_norm"}, {"rule": "accuracy-contradicts-loss", "why": "the log has no mean_token_accuracy"}, {"rule": "batches-change-size", "why": "the log has no num_tokens"}, {"rule": "entropy-collapses", "why": "the log has no entropy"}, {"rule": "token-accuracy-falls", "why": "the log has no mean_token_accuracy"}, {"rule": "gradients-grow", "why": "the log has no grad_norm"}, {"rule": "gradients-spike", "why": "the log has no grad_norm"}, {"rule": "clips-most-steps", "why": "the log has no grad_norm"}, {"rule": "loss-steps-down-at-epochs", "why": "the log has no epoch"}, {"rule": "repeats-memorised", "why": "the log has no epoch"}, {"rule": "gap-grows", "why": "the log has no epoch"}, {"rule": "learned-by-heart", "why": "the log has no mean_token_accuracy and no eval_mean_token_accuracy"}, {"rule": "surer-than-right", "why": "the log has no eval_entropy"}, {"rule": "too-few-updates", "why": "the log does not say max_steps and the batch size"}, {"rule": "too-few-tokens", "why": "the log has no num_tokens"}, {"rule": "rate-low-for-batch", "why": "the log does not say the learning rate, the batch size and the method"}, {"rule": "batch-too-large", "why": "the log does not say the batch size"}, {"rule": "regularised-too-much", "why": "the log does not say lora_dropout, neftune_noise_alpha or weight_decay"}, {"rule": "adapter-too-small", "why": "the log does not say lora_r, the learning rate and the method"}], "notes": []}');
INSERT INTO "trial_user_attributes" VALUES(34,3,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(35,3,'noise','0.0');
INSERT INTO "trial_user_attributes" VALUES(36,3,'share','1.0');
INSERT INTO "trial_user_attributes" VALUES(37,3,'method','"sft"');
INSERT INTO "trial_user_attributes" VALUES(38,3,'seconds','0.8594984110000041');
INSERT INTO "trial_user_attributes" VALUES(39,3,'memory','"out of memory with 16 rows on the device: trained with 8 at once and 2 accumulation steps, the same effective batch; evaluated 8 at once"');
INSERT INTO "trial_user_attributes" VALUES(40,3,'steps','400.0');
INSERT INTO "trial_user_attributes" VALUES(41,3,'metrics','{"train_loss": 0.9809180059512029, "eval_loss": 1.0155938427381135}');
INSERT INTO "trial_user_attributes" VALUES(42,3,'before','{"eval_loss": 2.0}');
INSERT INTO "trial_user_attributes" VALUES(43,3,'curve','[[0.0, 2.0], [40.0, 1.5921275572223472], [80.0, 1.3467473901224205], [120.0, 1.2049686976939296], [160.0, 1.1229939462883987], [200.0, 1.0764768748960212], [240.0, 1.0490784140930942], [280.0, 1.0336300633172963], [320.0, 1.024478138472314], [360.0, 1.0190812624073848], [400.0, 1.0155938427381135]]');
INSERT INTO "trial_user_attributes" VALUES(44,4,'moved_by','"sampler:trust-region"');
INSERT INTO "trial_user_attributes" VALUES(45,4,'because','"max length 8192 lies next to trial 2, the best so far"');
INSERT INTO "trial_user_attributes" VALUES(46,4,'parent','2');
INSERT INTO "trial_user_attributes" VALUES(47,4,'place','["gpu1", "/data/studies/out/trial-003"]');
INSERT INTO "trial_user_attributes" VALUES(48,4,'seconds','0.03476092199980485');
INSERT INTO "trial_user_attributes" VALUES(49,4,'error','"does not fit in memory, even with one row on the device at max length 8192"');
INSERT INTO "trial_user_attributes" VALUES(50,4,'infeasible','true');
INSERT INTO "trial_user_attributes" VALUES(51,5,'moved_by','"sampler:another-seed"');
INSERT INTO "trial_user_attributes" VALUES(52,5,'because','"trial 2 on another seed: one run each does not tell which settings are the best"');
INSERT INTO "trial_user_attributes" VALUES(53,5,'parent','2');
INSERT INTO "trial_user_attributes" VALUES(54,5,'reseed','1');
INSERT INTO "trial_user_attributes" VALUES(55,5,'place','["gpu1", "/data/studies/out/trial-004"]');
INSERT INTO "trial_user_attributes" VALUES(56,5,'seconds','0.019620379000116372');
INSERT INTO "trial_user_attributes" VALUES(57,5,'error','"RuntimeError: mat1 and mat2 shapes cannot be multiplied: 3 x 4"');
INSERT INTO "trial_user_attributes" VALUES(58,6,'moved_by','"sampler:RandomSampler"');
INSERT INTO "trial_user_attributes" VALUES(59,6,'because','""');
INSERT INTO "trial_user_attributes" VALUES(60,6,'parent','2');
INSERT INTO "trial_user_attributes" VALUES(61,6,'place','["gpu1", "/data/studies/out/trial-005"]');
INSERT INTO "trial_user_attributes" VALUES(62,6,'diagnosis','{"run": "trial-005", "label": "underfit", "cause": "rate-too-low", "confidence": 0.945, "best_step": 200.0, "findings": [{"rule": "rate-too-low", "label": "underfit", "first_step": 4.0, "last_step": 200.0, "measured": {"fall": 0.07553928449198977, "late_share": 0.9877249282743285, "barely": 0.0, "rate": 1e-06, "centre": 0.00025}, "message": "the loss barely falls, or is still on its way at the end: down by 7.6 % in all", "confidence": 0.945}, {"rule": "rate-runs-out", "label": "underfit", "first_step": 4.0, "last_step": 200.0, "measured": {"late_share": 1.1951941651669833, "pace": 1.2142567850101997, "fall": 0.07553928449198977, "rate": 1e-06}, "message": "for the learning rate spent the loss falls 1.2 times as fast late in the run as early; it flattens only because the rate decays", "confidence": 0.87}, {"rule": "still-improving", "label": "underfit", "first_step": 4.0, "last_step": 200.0, "measured": {"fall": 0.07553928449198977, "late_share": 0.9877249282743285, "barely": 0.0}, "message": "the loss still falls at the end, at 99 % of the pace of a straight line (8 % lost in all)", "confidence": 0.89}], "advice": [{"knob": "learning_rate", "old": 1e-06, "new": 8.3e-05, "factor": 83.0, "because": "rate-too-low", "expect": "a loss that falls at once; then one rung of x3 at a time", "confidence": 0.8, "message": "learning_rate 1e-6 \u2192 8.3e-5 (\u00d783): raise the learning rate to a third of the usual one"}, {"knob": "batch_size", "old": null, "new": null, "factor": 0.25, "because": "rate-too-low", "expect": "four times as many updates from the same rows", "confidence": 0.64, "message": "use a quarter of the batch for the same number of rows"}, {"knob": "num_train_epochs", "old": 1.0, "new": 2.0, "factor": 2.0, "because": "rate-runs-out", "expect": "the loss goes on falling along the same line", "confidence": 0.608, "message": "num_train_epochs 1 \u2192 2 (\u00d72): train twice as long, up to three epochs"}], "skipped": [{"rule": "start-loss-wrong", "why": "the log does not say vocab_size"}, {"rule": "loss-scaled-by-accumulation", "why": "the log does not say gradient_accumulation_steps"}, {"rule": "epoch-end-log-low", "why": "the log has no epoch"}, {"rule": "eval-differs-at-start", "why": "no evaluation near the start with three training losses around it"}, {"rule": "gradient-is-zero", "why": "the log has no grad_norm"}, {"rule": "accuracy-contradicts-loss", "why": "the log has no mean_token_accuracy"}, {"rule": "batches-change-size", "why": "the log has no num_tokens"}, {"rule": "entropy-collapses", "why": "the log has no entropy"}, {"rule": "token-accuracy-falls", "why": "the log has no mean_token_accuracy"}, {"rule": "train-and-eval-jitter", "why": "only 6 evaluations, 8 needed"}, {"rule": "loss-zigzags", "why": "only 50 training losses, 60 needed"}, {"rule": "gradients-grow", "why": "the log has no grad_norm"}, {"rule": "gradients-spike", "why": "the log has no grad_norm"}, {"rule": "eval-jitters-more", "why": "only 6 evaluations, 8 needed"}, {"rule": "clips-most-steps", "why": "the log has no grad_norm"}, {"rule": "loss-steps-down-at-epochs", "why": "the log has no epoch"}, {"rule": "repeats-memorised", "why": "the log has no epoch"}, {"rule": "gap-grows", "why": "the log has no epoch"}, {"rule": "learned-by-heart", "why": "the log has no mean_token_accuracy and no eval_mean_token_accuracy"}, {"rule": "surer-than-right", "why": "the log has no eval_entropy"}, {"rule": "too-few-updates", "why": "the log does not say max_steps and the batch size"}, {"rule": "too-few-tokens", "why": "the log has no num_tokens"}, {"rule": "rate-low-for-batch", "why": "the log does not say the learning rate, the batch size and the method"}, {"rule": "batch-too-large", "why": "the log does not say the batch size"}, {"rule": "regularised-too-much", "why": "the log does not say lora_dropout, neftune_noise_alpha or weight_decay"}, {"rule": "adapter-too-small", "why": "the log does not say lora_r, the learning rate and the method"}], "notes": ["the log does not say how long the run was to be: it is judged as a whole run"]}');
INSERT INTO "trial_user_attributes" VALUES(63,6,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(64,6,'noise','0.0');
INSERT INTO "trial_user_attributes" VALUES(65,6,'share','0.5');
INSERT INTO "trial_user_attributes" VALUES(66,6,'method','"sft"');
INSERT INTO "trial_user_attributes" VALUES(67,6,'seconds','0.13384774599990124');
INSERT INTO "trial_user_attributes" VALUES(68,6,'stopped','"1.849 at 50 % of the run, where trial 2 had 1.076"');
INSERT INTO "trial_user_attributes" VALUES(69,6,'memory','"out of memory with 16 rows on the device: trained with 8 at once and 2 accumulation steps, the same effective batch; evaluated 8 at once"');
INSERT INTO "trial_user_attributes" VALUES(70,6,'steps','200.0');
INSERT INTO "trial_user_attributes" VALUES(71,6,'metrics','{"train_loss": 1.8826988506353983, "eval_loss": 1.8489214310160205}');
INSERT INTO "trial_user_attributes" VALUES(72,6,'before','{"eval_loss": 2.0}');
INSERT INTO "trial_user_attributes" VALUES(73,6,'curve','[[0.0, 2.0], [40.0, 1.974506805102596], [80.0, 1.9407583133938777], [120.0, 1.9088934483998496], [160.0, 1.8786721147925738], [200.0, 1.8489214310160205]]');
INSERT INTO "trial_user_attributes" VALUES(74,7,'moved_by','"sampler:trust-region"');
INSERT INTO "trial_user_attributes" VALUES(75,7,'because','"the lowest point of a parabola through the rates tried"');
INSERT INTO "trial_user_attributes" VALUES(76,7,'parent','2');
INSERT INTO "trial_user_attributes" VALUES(77,7,'place','["gpu1", "/data/studies/out/trial-006"]');
INSERT INTO "trial_user_attributes" VALUES(78,7,'diagnosis','{"run": "trial-006", "label": "healthy", "cause": null, "confidence": 0.904, "best_step": 280.0, "findings": [], "advice": [], "skipped": [{"rule": "start-loss-wrong", "why": "the log does not say vocab_size"}, {"rule": "loss-scaled-by-accumulation", "why": "the log does not say gradient_accumulation_steps"}, {"rule": "epoch-end-log-low", "why": "the log has no epoch"}, {"rule": "gradient-is-zero", "why": "the log has no grad_norm"}, {"rule": "accuracy-contradicts-loss", "why": "the log has no mean_token_accuracy"}, {"rule": "batches-change-size", "why": "the log has no num_tokens"}, {"rule": "entropy-collapses", "why": "the log has no entropy"}, {"rule": "token-accuracy-falls", "why": "the log has no mean_token_accuracy"}, {"rule": "gradients-grow", "why": "the log has no grad_norm"}, {"rule": "gradients-spike", "why": "the log has no grad_norm"}, {"rule": "eval-jitters-more", "why": "only 7 evaluations with training losses between them, 8 needed"}, {"rule": "clips-most-steps", "why": "the log has no grad_norm"}, {"rule": "loss-steps-down-at-epochs", "why": "the log has no epoch"}, {"rule": "repeats-memorised", "why": "the log has no epoch"}, {"rule": "gap-grows", "why": "the log has no epoch"}, {"rule": "learned-by-heart", "why": "the log has no mean_token_accuracy and no eval_mean_token_accuracy"}, {"rule": "surer-than-right", "why": "the log has no eval_entropy"}, {"rule": "too-few-updates", "why": "the log does not say max_steps and the batch size"}, {"rule": "too-few-tokens", "why": "the log has no num_tokens"}, {"rule": "rate-low-for-batch", "why": "the log does not say the learning rate, the batch size and the method"}, {"rule": "batch-too-large", "why": "the log does not say the batch size"}, {"rule": "regularised-too-much", "why": "the log does not say lora_dropout, neftune_noise_alpha or weight_decay"}, {"rule": "adapter-too-small", "why": "the log does not say lora_r, the learning rate and the method"}], "notes": []}');
INSERT INTO "trial_user_attributes" VALUES(79,7,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(80,7,'noise','0.0');
INSERT INTO "trial_user_attributes" VALUES(81,7,'share','0.7');
INSERT INTO "trial_user_attributes" VALUES(82,7,'method','"sft"');
INSERT INTO "trial_user_attributes" VALUES(83,7,'seconds','0.18871678400000746');
INSERT INTO "trial_user_attributes" VALUES(84,7,'stopped','"1.066 at 70 % of the run, where trial 2 had 1.034"');
INSERT INTO "trial_user_attributes" VALUES(85,7,'memory','"out of memory with 16 rows on the device: trained with 8 at once and 2 accumulation steps, the same effective batch; evaluated 8 at once"');
INSERT INTO "trial_user_attributes" VALUES(86,7,'steps','280.0');
INSERT INTO "trial_user_attributes" VALUES(87,7,'metrics','{"train_loss": 1.0559173685021708, "eval_loss": 1.0659943340880762}');
INSERT INTO "trial_user_attributes" VALUES(88,7,'before','{"eval_loss": 2.0}');
INSERT INTO "trial_user_attributes" VALUES(89,7,'curve','[[0.0, 2.0], [40.0, 1.6725817835168457], [80.0, 1.4501227289787841], [120.0, 1.301786832083395], [160.0, 1.2032463643021967], [200.0, 1.1381182157671486], [240.0, 1.0941407156945675], [280.0, 1.0659943340880762]]');
INSERT INTO "trial_user_attributes" VALUES(90,8,'moved_by','"sampler:another-seed"');
INSERT INTO "trial_user_attributes" VALUES(91,8,'because','"trial 2 on another seed: one run each does not tell which settings are the best"');
INSERT INTO "trial_user_attributes" VALUES(92,8,'parent','2');
INSERT INTO "trial_user_attributes" VALUES(93,8,'reseed','2');
INSERT INTO "trial_user_attributes" VALUES(94,8,'place','["gpu1", "/data/studies/out/trial-007"]');
INSERT INTO "trial_user_attributes" VALUES(95,8,'diagnosis','{"run": "trial-007", "label": "healthy", "cause": null, "confidence": 0.918, "best_step": 400.0, "findings": [], "advice": [], "skipped": [{"rule": "start-loss-wrong", "why": "the log does not say vocab_size"}, {"rule": "loss-scaled-by-accumulation", "why": "the log does not say gradient_accumulation_steps"}, {"rule": "epoch-end-log-low", "why": "the log has no epoch"}, {"rule": "gradient-is-zero", "why": "the log has no grad_norm"}, {"rule": "accuracy-contradicts-loss", "why": "the log has no mean_token_accuracy"}, {"rule": "batches-change-size", "why": "the log has no num_tokens"}, {"rule": "entropy-collapses", "why": "the log has no entropy"}, {"rule": "token-accuracy-falls", "why": "the log has no mean_token_accuracy"}, {"rule": "gradients-grow", "why": "the log has no grad_norm"}, {"rule": "gradients-spike", "why": "the log has no grad_norm"}, {"rule": "clips-most-steps", "why": "the log has no grad_norm"}, {"rule": "loss-steps-down-at-epochs", "why": "the log has no epoch"}, {"rule": "repeats-memorised", "why": "the log has no epoch"}, {"rule": "gap-grows", "why": "the log has no epoch"}, {"rule": "learned-by-heart", "why": "the log has no mean_token_accuracy and no eval_mean_token_accuracy"}, {"rule": "surer-than-right", "why": "the log has no eval_entropy"}, {"rule": "too-few-updates", "why": "the log does not say max_steps and the batch size"}, {"rule": "too-few-tokens", "why": "the log has no num_tokens"}, {"rule": "rate-low-for-batch", "why": "the log does not say the learning rate, the batch size and the method"}, {"rule": "batch-too-large", "why": "the log does not say the batch size"}, {"rule": "regularised-too-much", "why": "the log does not say lora_dropout, neftune_noise_alpha or weight_decay"}, {"rule": "adapter-too-small", "why": "the log does not say lora_r, the learning rate and the method"}], "notes": []}');
INSERT INTO "trial_user_attributes" VALUES(96,8,'diverged','false');
INSERT INTO "trial_user_attributes" VALUES(97,8,'noise','0.0');
INSERT INTO "trial_user_attributes" VALUES(98,8,'share','1.0');
INSERT INTO "trial_user_attributes" VALUES(99,8,'method','"sft"');
INSERT INTO "trial_user_attributes" VALUES(100,8,'seconds','0.24135453400003826');
INSERT INTO "trial_user_attributes" VALUES(101,8,'memory','"out of memory with 16 rows on the device: trained with 8 at once and 2 accumulation steps, the same effective batch; evaluated 8 at once"');
INSERT INTO "trial_user_attributes" VALUES(102,8,'steps','400.0');
INSERT INTO "trial_user_attributes" VALUES(103,8,'metrics','{"train_loss": 1.0709609711400607, "eval_loss": 1.013591859360755}');
INSERT INTO "trial_user_attributes" VALUES(104,8,'before','{"eval_loss": 2.0}');
INSERT INTO "trial_user_attributes" VALUES(105,8,'curve','[[0.0, 2.0], [40.0, 1.5888866454328598], [80.0, 1.3447129640091606], [120.0, 1.2036758047613205], [160.0, 1.1222321960499362], [200.0, 1.0743699053654885], [240.0, 1.0469972470683369], [280.0, 1.0324074954242917], [320.0, 1.022563814345284], [360.0, 1.017009178074343], [400.0, 1.013591859360755]]');
INSERT INTO "trial_user_attributes" VALUES(106,9,'moved_by','"sampler:RandomSampler"');
INSERT INTO "trial_user_attributes" VALUES(107,9,'because','""');
INSERT INTO "trial_user_attributes" VALUES(108,9,'parent','2');
INSERT INTO "trial_user_attributes" VALUES(109,9,'place','["gpu1", "/data/studies/out/trial-008"]');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,1.3433218980892793759e+00,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,1.05412057497041256048e+00,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,1.01559384273811348364e+00,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,1.41048799299374327809e+00,'FINITE');
INSERT INTO "trial_values" VALUES(5,5,0,1.48101239264343043089e+00,'FINITE');
INSERT INTO "trial_values" VALUES(6,6,0,1.84892143101602046684e+00,'FINITE');
INSERT INTO "trial_values" VALUES(7,7,0,1.06599433408807620082e+00,'FINITE');
INSERT INTO "trial_values" VALUES(8,8,0,1.01359185936075490985e+00,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-21 18:07:26.418473','2026-11-21 18:07:28.040177');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-21 18:07:28.192918','2026-11-21 18:07:29.748816');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-21 18:07:29.860012','2026-11-21 18:07:30.865578');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-21 18:07:30.903046','2026-11-21 18:07:30.968850');
INSERT INTO "trials" VALUES(5,4,1,'COMPLETE','2026-11-21 18:07:35.237582','2026-11-21 18:07:35.292630');
INSERT INTO "trials" VALUES(6,5,1,'COMPLETE','2026-11-21 18:07:35.340896','2026-11-21 18:07:35.521999');
INSERT INTO "trials" VALUES(7,6,1,'COMPLETE','2026-11-21 18:07:35.576115','2026-11-21 18:07:35.816740');
INSERT INTO "trials" VALUES(8,7,1,'COMPLETE','2026-11-21 18:07:35.870898','2026-11-21 18:07:36.181303');
INSERT INTO "trials" VALUES(9,8,1,'RUNNING','2026-11-21 18:07:36.940518',NULL);
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
