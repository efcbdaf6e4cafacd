"""English headings.

These headings are left out on purpose, because they mean something else in some registrar's system:
name, username, number, serial_no, admission_no, national_id, personal_email, programme, course,
academic_year, entry_year, birth_year, status, active, registered.
"""

# fmt: off
HEADINGS: dict[str, tuple[str, ...]] = {
    "student_id": (
        "id", "id_no", "id_nr", "id_num", "id_number",
        "student_id", "student_no", "student_nr", "student_num", "student_number",
        "student_id_no", "student_id_nr", "student_id_num", "student_id_number",
        "student_reg_no", "student_reg_nr", "student_reg_num", "student_reg_number",
        "student_registration_no", "student_registration_nr", "student_registration_num",
        "student_registration_number",
        "student", "student_code", "student_identifier", "student_identification_number",
        "student_id_required", "student_s_id", "sid",
        "matric", "matric_id", "matric_no", "matric_nr", "matric_num", "matric_number",
        "matriculation_id", "matriculation_no", "matriculation_nr", "matriculation_num",
        "matriculation_number",
        "reg_id", "reg_no", "reg_nr", "reg_num", "reg_number",
        "registration_id", "registration_no", "registration_nr", "registration_num",
        "registration_number",
        "enrolment_no", "enrolment_nr", "enrolment_num", "enrolment_number",
        "enrollment_no", "enrollment_nr", "enrollment_num", "enrollment_number",
        "index_no", "index_nr", "index_num", "index_number",
        "roll_no", "roll_nr", "roll_num", "roll_number",
        "university_id", "university_id_no", "university_id_nr", "university_id_num",
        "university_id_number",
    ),
    "first_name": (
        "first_name", "first_names", "first_name_s", "firstname", "student_first_name",
        "given_name", "given_names", "given_name_s",
        "forename", "forenames", "forename_s",
    ),
    "last_name": (
        "last_name", "last_names", "last_name_s", "lastname", "student_last_name",
        "surname", "surnames", "surname_s", "student_surname",
        "family_name", "family_names", "family_name_s",
    ),
    "email": (
        "email", "email_id", "email_addr", "email_address", "email_required",
        "email_address_required", "email_student", "email_university",
        "e_mail", "e_mail_address", "electronic_mail", "mail", "mail_address",
        "student_email", "student_email_address", "student_e_mail",
        "university_email", "university_email_address", "university_e_mail", "uni_email",
        "institutional_email", "institutional_email_address",
        "college_email", "school_email", "campus_email",
    ),
    "department": (
        "department", "departments", "department_name", "dept", "dept_name", "dep",
        "home_department", "student_department", "academic_department",
        "faculty", "faculty_name", "school", "school_name",
    ),
    "year": (
        "year", "year_of_study", "year_of_studies", "year_level", "year_group", "yr",
        "study_year", "student_year", "current_year", "current_year_of_study",
        "level", "level_of_study", "class_level", "study_level", "student_level", "current_level",
        "academic_level",
    ),
    "is_eligible": (
        "is_eligible", "is_eligible_to_vote", "is_eligible_voter", "is_eligible_y_n",
        "eligible", "eligible_to_vote", "eligible_for_voting", "eligible_voter", "eligible_y_n",
        "eligible_yes_no",
        "eligibility", "eligibility_status", "voting_eligibility", "voter_eligibility",
        "voting_eligible", "vote_eligible", "voter_eligible", "can_vote", "may_vote",
        "voting_right", "right_to_vote",
    ),
}
